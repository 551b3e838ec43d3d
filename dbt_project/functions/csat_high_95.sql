select {{ cx('share_high_95') }}(top_box, responses)
