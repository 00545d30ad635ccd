"""A real mongod and a real MQTT broker under this program's care, for the demo and the tests."""
