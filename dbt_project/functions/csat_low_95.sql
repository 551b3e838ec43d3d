select {{ cx('share_low_95') }}(top_box, responses)
