select {{ function('share_low_95') }}(top_box, responses)
