select {{ cx('share_percent') }}(top_box, responses)
