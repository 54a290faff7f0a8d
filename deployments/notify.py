"""Have Prefect send a message when a sweep ends, to a webhook that takes ``{"text": …}``, as Slack's do.

    python deployments/notify.py https://hooks.example.com/services/T000/B000
    python deployments/notify.py https://hooks.example.com/services/T000/B000 --on failed

Doing it again replaces it; ``--remove`` takes it away. The address is kept as a secret of the Prefect server
that ``PREFECT_API_URL`` or your profile names; the project's own: export PREFECT_API_URL=$(sweep up --api).
"""

from __future__ import annotations

import argparse
from typing import Any

from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.client.orchestration import get_client
from prefect.events.schemas.automations import AutomationCore

NAME = "sweeps-notify"
AUTOMATION = "sweeps: tell when one ends"
STATES = {
    "failed": ["Failed", "Crashed"],
    "completed": ["Completed"],
    "all": ["Completed", "Failed", "Crashed", "Cancelled"],
}


def automation(block: str, states: list[str]) -> dict[str, Any]:
    """Return the automation: a flow run of a sweep, known by its tag, enters one of these states."""
    return {
        "name": AUTOMATION,
        "trigger": {
            "type": "event",
            "posture": "Reactive",
            "expect": [f"prefect.flow-run.{state}" for state in states],
            "match_related": {"prefect.resource.id": "prefect.tag.sweeplib", "prefect.resource.role": "tag"},
            "for_each": ["prefect.resource.id"],
            "threshold": 1,
            "within": 15,  # seconds in which a run that is cancelled may be told so by its worker as well
        },
        "actions": [
            {
                "type": "send-notification",
                "block_document_id": block,
                "subject": "{{ flow.name }} {{ flow_run.state.name | lower }}",
                "body": "{{ flow_run.state.message }}\n{{ flow_run | ui_url }}",
            }
        ],
    }


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("url", nargs="?", help="where to send messages")
    parser.add_argument("--on", choices=STATES, default="all", help="which ends to tell of (default: all)")
    parser.add_argument("--remove", action="store_true", help="send no more")
    options = parser.parse_args()
    if (options.url is None) != options.remove:
        parser.error("give the address of a webhook, or --remove")
    with get_client(sync_client=True) as client:
        for old in client.read_automations_by_name(AUTOMATION):
            client.delete_automation(old.id)
            print(f"removed the automation {AUTOMATION!r}")
        if options.remove:
            return
        block = CustomWebhookNotificationBlock(
            name=NAME,
            url="{{url}}",
            secrets={"url": options.url},
            json_data={"text": "{{subject}}\n{{body}}"},
        )
        saved = block.save(NAME, overwrite=True)
        wanted = automation(str(saved), STATES[options.on])
        client.create_automation(AutomationCore.model_validate(wanted))
        print(f"made the automation {AUTOMATION!r}")


if __name__ == "__main__":
    main()
