"""What sweeps have found so far, drawn as they go on; prefect.yaml tells what starts it."""

from sweeplib import analytics_flow

analytics = analytics_flow()
