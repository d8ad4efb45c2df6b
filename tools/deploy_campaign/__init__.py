"""Parts of ``deploy_kill_campaign.py``."""
