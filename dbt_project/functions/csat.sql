select {{ function('share_percent') }}(top_box, responses)
