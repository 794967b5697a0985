"""Takes what an audit says where people look: S3, an SNS topic, a webhook, AWS Security Hub. Nothing goes unasked."""
