"""A small stand-in for the Pulumi AWS provider: what the chatbot's program uses, over botocore.

To add a type: one class with create, read, update and delete, and its row in `types.py`.
Replace sets are those of the Terraform provider underneath (`ForceNew` in its schemas, at
github.com/hashicorp/terraform-provider-aws/tree/main/internal/service).
"""
