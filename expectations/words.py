"""What several rules of gate 1 say alike, and the share that they tolerate alike."""

LARGEST_BROKEN_SHARE = 0.05

# What to do, in a few words.
SEND_AGAIN = "have the source export it again and load the date again"
OR_ACCEPT = f"{SEND_AGAIN}, or `make accept LOAD={{load_id}}` if it is right"
ASK = "ask the owner of the source whether that is right"
