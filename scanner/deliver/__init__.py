"""Delivers reports and findings to S3, SNS topics, webhooks and AWS Security Hub, where an option asks for it."""
