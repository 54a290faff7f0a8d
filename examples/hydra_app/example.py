"""A Hydra application that records every run in MLflow, in the experiment of its job."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import hydra
import mlflow
from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig
from omegaconf import OmegaConf


@dataclass
class Config:
    """What a run may be told."""

    width: int = 1024
    height: int = 768


ConfigStore.instance().store(name="config", node=Config)


@hydra.main(version_base="1.3", config_name="config")
def app(config: Config) -> None:
    """Record the area of a rectangle."""
    mlflow.set_experiment(HydraConfig.get().job.name)
    with mlflow.start_run():
        found = OmegaConf.to_object(config)
        assert isinstance(found, Config)  # noqa: S101
        mlflow.log_params(asdict(found))
        mlflow.log_metric("area", found.width * found.height)


if __name__ == "__main__":
    app()
