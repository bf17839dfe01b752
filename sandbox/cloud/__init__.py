"""The local AWS: ministack with builds that run and Step Functions closer to AWS."""
