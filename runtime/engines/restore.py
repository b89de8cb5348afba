"""An order made again from what is stored, by a process that takes up a run which another one began.

The revision is the one that the run was opened with, by id and digest, whole or not at all; that it was approved was
asked when the run was opened, and a run under way is not stopped by a newer approval. Inputs come back without their
secrets, which nobody keeps. Called by `durable`.
"""

from dataclasses import dataclass

from governance.approval.revisions import RevisionStore
from governance.errors import DigestError, GovernanceError, UnavailableError
from governance.registry.apis import ApiStore
from governance.registry.targets import TargetStore
from governance.runs.plans import PlanStore
from governance.runs.runs import Run
from runtime.catalog.entries import Prepared
from runtime.engines.engine import Order
from runtime.errors import ServingError, Unservable
from workflow.errors import WorkflowError
from workflow.profiles.profile import Profile, parse_profile


@dataclass(frozen=True, slots=True)
class Restorer:
    revisions: RevisionStore
    apis: ApiStore
    targets: TargetStore
    plans: PlanStore

    async def order(self, run: Run) -> Order:
        """Raises Unservable when the run cannot be taken up, UnavailableError when it cannot be read now."""
        try:
            return await self._order(run)
        except UnavailableError:
            raise
        except (GovernanceError, ServingError, WorkflowError) as error:
            raise Unservable(f"the run {run.id} cannot be taken up: {error}") from error

    async def _order(self, run: Run) -> Order:
        revision = await self.revisions.get(run.revision_id)
        if revision.digest != run.digest:
            raise DigestError(f"{revision.workflow_id}@{revision.number} is not what the run was begun with")
        digest = revision.content.profile_digest
        profile = Profile(api=revision.api)
        if digest is not None:
            profile = parse_profile(await self.apis.get_profile(digest), revision.api)
        target = await self.targets.get(run.target)
        if target.api != revision.api:
            raise DigestError(f"the target {target.name} is of another API now")
        prepared = Prepared(revision)
        return Order(
            run_id=run.id,
            revision_id=run.revision_id,
            digest=run.digest,
            program=prepared.program(),
            endpoint=prepared.endpoint(target, profile),
            caller=run.caller,
            inputs=run.inputs,
            secret_names=profile.secrets,
            workflow=f"{revision.workflow_id}@{revision.number}",
            operations=prepared.content.operations,
            confirmed=await self.plans.confirmed_for(run.id),
        )
