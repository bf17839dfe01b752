"""The Fargate runner: a process per ECS task, held to its CPU units, behind one port."""
