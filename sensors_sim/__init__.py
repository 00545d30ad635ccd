"""Program 3: a world of parking bays that speaks MQTT as real sensors do, and a replayer of recorded ones.

It imports nothing of the hub, the API or the shared domain, so that it stays an independent witness: what it says is
built from the published contract and the vendors' documents alone. The story in the order in which it is met:

    lots -> world (cars come and go) -> sensing (what is noticed) -> faults (what goes wrong) -> encoders -> publisher
"""
