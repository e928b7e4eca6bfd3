"""Everything around the services: policies, topics, this machine, containers, the demo."""
