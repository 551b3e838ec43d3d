select {{ function('share_high_95') }}(top_box, responses)
