"""The benchmarks: how fast the whole path is, against floors and peers, and whether what it showed was true.

Nothing here imports the product. It is started as a process and spoken to over its published contracts (MQTT in,
websocket and REST out), exactly like its peers, so the harness stays an independent witness.
"""
