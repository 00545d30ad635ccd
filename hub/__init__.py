"""Program 1: readings in over MQTT, live state out over websockets and retained MQTT messages."""
