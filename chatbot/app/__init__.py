"""The patient: a chatbot that answers from a small corpus, on Starlette and OpenTelemetry."""
