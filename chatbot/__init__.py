"""The patient and its world: the service, its infrastructure, its traffic and its faults."""
