using System.Collections.Immutable;
using AgentMesh.Mesh.Arrays;
using AgentMesh.Mesh.Contracts;
using AgentMesh.Mesh.Cron;
using AgentMesh.Mesh.Webhooks;
using AgentMesh.Mesh.Groups;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Peers;
using AgentMesh.Mesh.Workflows;
using static AgentMesh.Mesh.Tests.Samples;

namespace AgentMesh.Mesh.Tests.Contracts;

/// <summary>Every message and event of the domain, with all of its fields set at least once.</summary>
internal static class ContractSamples
{
    private static readonly Checkpoint Left = new([1, 2, 255, 0]);

    public static readonly object[] Full =
    [
        new SubmitJob(Job, FullSpec),
        new SubmitJob(Job, SpecOf(command: JobCommand.Program("sh", "-c", "echo 'a b'", ""))),
        new SubmitJob(Job, ToldSpec),
        new AcceptedEvent(Start, ToldSpec, null),
        new AcceptedEvent(Start, ToldSpec, new Placement(1, Gpu, 5)),
        new PausedEvent(Start, 0, null, new Problem("AM0314", "waited too long")) { IsDue = true, DueAs = 12 },
        new CompletedEvent(Start, 1, FullResult) { IsDue = true, DueAs = 12 },
        new FailedEvent(Start, 1, FullResult, new Problem("AM0601", "wrong")) { IsDue = true, DueAs = 12 },
        new CancelledEvent(Start, 1, null, null) { IsDue = true, DueAs = 12 },
        new CancelledEvent(Start, 1, null, null) { IsDue = true },
        new ToldEvent(Start, JobStateName.Failed, Untold with { Report = null }),
        new ToldEvent(Start, JobStateName.Paused, new Delivery(DeliveryState.Delivered, 1, Start, Start, 204, null)),
        new JobSnapshot(JobStateName.Completed, ToldSpec, Start, Start, Start, new Placement(2, Gpu, 5), Start, 2, null, 0, null, null, Start, null) { Delivery = Untold with { Report = null } },
        new JobView(Job, JobStateName.Completed, ToldSpec, 1, Gpu, null, null, Start, Start, Start, null, false, null) { Delivery = Untold with { Report = null } },
        new JobAccepted(Job, Repeated: true),
        new GetJob(Job),
        new AwaitJob(Job, Start),
        new AwaitJob(Job, Start) { AttemptOver = 3, AttemptAfter = 0 },
        new CancelJob(Job, Laptop),
        new RetryJob(Job, Laptop),
        new WakeJob(Job),
        new JobProblem(Job, new Problem("AM0307", "no such job")),
        new JobView(Job, JobStateName.Running, FullSpec, 2, Gpu, FullResult, new Problem("AM0313", "used up", "retry it"), Start, Start, Start, Start, true, "the device"),
        new JobView(Job, JobStateName.Queued, Spec, 0, null, null, null, Start, null, null, null, false, null),
        new RunAttempt(Job, 3, -42, FullSpec.Command, Laptop, TimeSpan.FromSeconds(7), TimeSpan.FromSeconds(10)),
        new RunAttempt(Job, 2, 1, Spec.Command, Laptop, null, TimeSpan.FromSeconds(10)) { Artifacts = FullSpec.Artifacts, Inputs = FullSpec.Inputs },
        new RunAttempt(Job, 1, 42, Spec.Command, Laptop, null, TimeSpan.FromSeconds(10)),
        new RunAttempt(Job, 1, 42, Spec.Command, Laptop, null, TimeSpan.FromSeconds(10)) { Needs = FullSpec.Needs },
        new AttemptStarted(Job, 1, 42),
        new AttemptStarted(Job, 1, 42) { Waiting = "gpu" },
        new AttemptHeartbeat(Job, 1, 5, 6),
        new AttemptHeartbeat(Job, 1, 5, 6) { Waiting = "gpu" },
        new AttemptHeartbeat(Job, 1, 5, 6) { Progress = new Progress(0.25, "epoch 3") },
        new AttemptHeartbeat(Job, 1, 5, 6) { Progress = new Progress(null, "loading") },
        new AttemptCheckpoint(Job, 2, 7, Left),
        new CheckpointKept(Job, 2, 7),
        new CheckpointedEvent(Start, 2, Left),
        new RetriedEvent(Start, Laptop, FromStart: true),
        new RetryJob(Job, Laptop, FromStart: true),
        new AttemptEnded(Job, 1, FullResult with { Checkpoint = Left }),
        new RunAttempt(Job, 1, 42, Spec.Command, Laptop, null, TimeSpan.FromSeconds(10)) { Checkpoint = Left },
        new JobView(Job, JobStateName.Running, FullSpec, 2, Gpu, null, null, Start, Start, null, null, false, null) { Progress = new Progress(0.5, "half"), Checkpoint = new CheckpointView(2, 1, Start) },
        new JobSnapshot(JobStateName.Placing, Spec, Start, Start, Start, new Placement(2, Gpu, 5), Start, 2, null, 0, null, null, null, null) { Checkpoint = new KeptCheckpoint(Left, 1, Start) },
        new AttemptEnded(Job, 1, FullResult),
        new AttemptEnded(Job, 1, new AttemptResult(AttemptOutcome.Succeeded, 0, "")),
        new AttemptEndedAck(Job, 1, Recorded: true),
        new CancelAttempt(Job, 1),
        new AttemptUnknown(Job, 1, 7),
        new AcceptedEvent(Start, FullSpec, new Placement(1, Gpu, 5)),
        new AcceptedEvent(Start, FullSpec, null),
        new ReleasedEvent(Start),
        new PlacedEvent(Start, new Placement(2, Gpu, 5)),
        new RetryingEvent(Start, 1, FullResult, Start.AddSeconds(1)),
        new RetryingEvent(Start, 1, FullResult, Start.AddSeconds(1)) { IsUncounted = true },
        new PausedEvent(Start, 0, null, new Problem("AM0314", "waited too long")),
        new CompletedEvent(Start, 1, FullResult),
        new FailedEvent(Start, 1, FullResult, new Problem("AM0601", "wrong")),
        new CancelRequestedEvent(Start, Laptop),
        new CancelledEvent(Start, 1, null, null),
        new RetriedEvent(Start, Laptop),
        new JobSnapshot(JobStateName.Paused, FullSpec, Start, Start.AddHours(1), Start.AddHours(2), new Placement(2, Gpu, 5), Start, 2, FullResult, 2, new Problem("AM0313", "used up"), Start, Start, Start),
        new JobSnapshot(JobStateName.Queued, Spec, Start, Start, Start, null, null, 0, null, 0, null, null, null, null) { IsReleased = true },
        new SetGroup(new GroupId(Home, "train"), 2, LiftMax: false, Paused: true),
        new SetGroup(new GroupId(Home, "train"), null, LiftMax: true, Paused: null),
        new GetGroup(new GroupId(Home, "train")),
        new RemoveGroup(new GroupId(Home, "train")),
        new GroupRemoved(new GroupId(Home, "train")),
        new GroupProblem(new GroupId(Home, "train"), new Problem("AM0394", "none", "next")),
        new AskTurn(new GroupId(Home, "train"), Job, -3, "ada"),
        new TurnAnswer(Job, IsGranted: true, null),
        new TurnAnswer(Job, IsGranted: false, "full"),
        new GroupView(new GroupId(Home, "train"), new GroupSettings(2, IsPaused: true), IsSet: true, [Job], 1, 5, 7),
        new GroupSetEvent(Start, new GroupSettings(null, IsPaused: true)),
        new GroupGrantedEvent(Start, [Job]),
        new GroupReturnedEvent(Start, [Job]),
        new GroupRemovedEvent(Start),
        new GroupSnapshot(new GroupSettings(3, IsPaused: false), [Job], 9),
        new GroupSnapshot(null, [], 0),
        new BackfillCron(new CronId(Home, "nightly"), Start, Start.AddDays(1), IsDryRun: true),
        new CronBackfillView(new CronId(Home, "nightly"), [Start, Start.AddHours(1)], IsDryRun: false),
        new CronBackfillEvent(Start, new CronBackfill(Start, Start.AddHours(2), 3)),
        new CronFiredEvent(Start, Start, Job, CronCause.Backfill, 5) { Targets = [new CronTarget(Job, new JobTarget(Gpu, "label:gpu", "gpu-box") { Why = "free" })] },
        new CronFiredEvent(Start, Start, Job, CronCause.Schedule, 5) { Targets = [] },
        new RecordPeerFacts(new PeerId(Home, Gpu), Facts, ["192.0.2.1:14590"]),
        new RecordPeerLink(new PeerId(Home, Gpu), PeerConnectionState.Connected, Start, "192.0.2.1:14590", TimeSpan.FromMicroseconds(250)),
        new RecordPeerLink(new PeerId(Home, Gpu), PeerConnectionState.Failed, Start, null, null),
        new GetPeer(new PeerId(Home, Gpu)),
        new PeerRecorded(new PeerId(Home, Gpu)),
        new PeerView(new PeerId(Home, Gpu), Facts, [new PeerAddress("a:1", Start), new PeerAddress("b:2", null)], PeerConnectionState.Connected, TimeSpan.FromMilliseconds(3), Start),
        new PeerView(new PeerId(Home, Gpu), null, [], PeerConnectionState.Disconnected, null, null),
        new PeerFactsEvent(Start, Facts, ["a:1"]),
        new PeerLinkEvent(Start, PeerConnectionState.Connected, "a:1", TimeSpan.FromMilliseconds(1)),
        new CreateCron(Nightly, CronSpec, Replace: true),
        new GetCron(Nightly),
        new WakeCron(Nightly),
        new EnableCron(Nightly, Enabled: true),
        new RunCron(Nightly, "a key"),
        new CronStarted(Nightly, Job),
        new RemoveCron(Nightly),
        new CronRemoved(Nightly),
        new CronProblem(Nightly, new Problem("AM0342", "no such schedule", "look")),
        new CronView(Nightly, CronSpec, IsEnabled: false, new Problem("AM0347", "failed"), Start, 7, 8, 2, CronRuns, [Start, Start.AddDays(1)], Start.AddHours(-1)),
        new CronView(Nightly, CronSpec, IsEnabled: true, null, Start, 0, 0, 0, [], [], null) { BackfillLeft = 4 },
        new CronCreatedEvent(Start, CronSpec, 5),
        new CronUpdatedEvent(Start, CronSpec, -5),
        new CronEnabledEvent(Start, 5),
        new CronDisabledEvent(Start, new Problem("AM0347", "failed")),
        new CronDisabledEvent(Start, null),
        new CronFiredEvent(Start, Start.AddMinutes(-1), Job, CronCause.CatchUp, 5),
        new CronMissedEvent(Start, Start.AddMinutes(-1), 17, CronMissedReason.Overlap, 5),
        new CronBufferedEvent(Start, Start.AddMinutes(-1)),
        new CronRunEndedEvent(Start, Job, JobStateName.Failed),
        new CronRunEndedEvent(Start, Job, JobStateName.Failed) { Report = Report },
        new CronRunEndedEvent(Start, Job, JobStateName.Cancelled) { Report = new EndReport(0, null, "gpu-box", null, null, Start, null, 0, 0, null) },
        new CronDeliveryEvent(Start, Job, Untold with { Report = null }),
        new CronDeliveryEvent(Start, Job, new Delivery(DeliveryState.Delivered, 1, Start, Start, 204, null)),
        new CronView(Nightly, CronSpec, IsEnabled: true, null, Start, 0, 0, 0, CronRuns, [], null) { LastDelivery = new CronLastDelivery(Job, Untold) },
        new CronSnapshot(CronSpec, true, null, Start, 3, Start, 0, 0, 0, 0, null, CronRuns) { LastDelivery = new CronLastDelivery(Job, Untold) },
        new CronRemovedEvent(Start),
        new CronSnapshot(CronSpec, true, new Problem("AM0347", "failed"), Start, 3, Start.AddHours(1), 5, 7, 8, 2, Start.AddHours(1), CronRuns),
        new CronSnapshot(CronSpec, true, null, Start, 3, Start, 0, 0, 0, 0, null, []) { Backfill = new CronBackfill(Start, Start.AddHours(2), 3) },
        new CronSnapshot(null, false, null, Start, 3, Start, 0, 0, 0, 0, null, []),
        new SubmitArray(Grid, ArraySpec),
        new SubmitArray(Grid, new ArraySpec(Spec, new ArrayTargets("", false, [Home], []), new ArrayItems([""], ["0", "7"]), null)),
        new ArrayAccepted(Grid, Repeated: true),
        new GetArray(Grid),
        new WakeArray(Grid),
        new GetElements(Grid, 5, 10, Failed: true),
        new CancelArray(Grid, Laptop),
        new RetryArray(Grid, Laptop),
        new ArrayProblem(Grid, new Problem("AM0356", "no such array", "look")),
        new ArrayView(Grid, ArrayStateName.Running, "echo {lr}", "@label:gpu", 8, 10, 1, 2, 3, 4, 0, Start, Start.AddHours(1), "a key", "nobody"),
        new ArrayView(Grid, ArrayStateName.Waiting, "echo", "", null, 1, 1, 0, 0, 0, 0, Start, null, null, null),
        new ArrayElements(Grid, [new ElementView(1, 2, ElementStateName.Failed, "lr=1", Job, "gpu", 3, new Problem("AM0323", "3"), "text", Start, Start.AddSeconds(1)), new ElementView(0, 1, ElementStateName.Waiting, "", default, null, null, null, null, null, null)], 7),
        new ArrayElements(Grid, [], null),
        new ArrayAcceptedEvent(Start, ArraySpec),
        new ElementsPlacedEvent(Start, [Element, Element with { Index = 1, IsMoving = true, Generation = 2 }]),
        new ElementMovingEvent(Start, 3),
        new ElementReleasedEvent(Start, 3),
        new ElementsEndedEvent(Start, [ElementOver, ElementOver with { ExitCode = null, Problem = null, Text = null, BeganAt = null }]),
        new ArrayCancelRequestedEvent(Start, Laptop),
        new ArrayEndedEvent(Start),
        new ArrayEndedEvent(Start) { IsDue = true },
        new ArrayEndedEvent(Start) { IsDue = true, DueAs = 12 },
        new ArrayToldEvent(Start, Untold with { Report = null }),
        new ArrayToldEvent(Start, new Delivery(DeliveryState.Delivered, 1, Start, Start, 204, null)),
        new SubmitArray(Grid, ToldGrid),
        new ArrayAcceptedEvent(Start, ToldGrid),
        new ArraySnapshot(ToldGrid, Start, null, Start, 4, [], [], [ElementOver]) { Delivery = Untold with { Report = null } },
        new ArrayRetriedEvent(Start, Laptop),
        new ArraySnapshot(ArraySpec, Start, Start.AddHours(1), Start.AddHours(2), 2, [Element], [KeyValuePair.Create(1, 2)], [ElementOver]),
        new ArraySnapshot(ArraySpec, Start, null, null, 0, [], [], []),
        new SubmitWorkflow(Flow, FlowSpec, [FlowStep]),
        new WorkflowAccepted(Flow, Repeated: true),
        new GetWorkflow(Flow),
        new WakeWorkflow(Flow),
        new ChangeWorkflow(Flow, WorkflowAction.Retry, "train", Laptop),
        new EditStep(Flow, FlowSpec.Steps[0], Laptop),
        new WorkflowProblem(Flow, new Problem("AM0376", "no such workflow", "look")),
        new WorkflowView(Flow, WorkflowState.None(Flow) with { Spec = FlowSpec, Steps = [FlowStep], AcceptedAt = Start, PausedBy = Laptop, CancelledBy = Laptop, EndedAt = Start }, [new StepNote("train", "gpu-box is away")]),
        new WorkflowAcceptedEvent(Start, FlowSpec, []),
        new StepBegunEvent(Start, "train", 2, [FlowRun with { End = null }]),
        new StepNotBegunEvent(Start, "train", new Problem("AM0379", "no value")),
        new StepJobsEndedEvent(Start, [FlowRun]),
        new StepsOmittedEvent(Start, ["train"]),
        new WorkflowPausedEvent(Start, Laptop),
        new WorkflowResumedEvent(Start, Laptop),
        new StepRetriedEvent(Start, "train", Laptop),
        new StepSkippedEvent(Start, "train", Laptop),
        new StepEditedEvent(Start, FlowSpec.Steps[0], Laptop),
        new WorkflowCancelRequestedEvent(Start, Laptop),
        new WorkflowEndedEvent(Start),
        new WorkflowEndedEvent(Start) { DueAs = 12 },
        new StepNotBegunEvent(Start, "train", new Problem("AM0379", "no value")) { DueAs = 12 },
        new StepJobsEndedEvent(Start, [FlowRun]) { DueAs = 12 },
        .. from isOver in (bool[])[true, false]
           from delivery in (Delivery[])[Untold with { Report = null }, new Delivery(DeliveryState.Delivered, 1, Start, Start, 204, null)]
           select new WorkflowToldEvent(Start, isOver, delivery),
        new SubmitWorkflow(Flow, ToldFlow, [FlowStep]),
        new WorkflowAcceptedEvent(Start, ToldFlow, []),
        WorkflowState.None(Flow) with { Spec = ToldFlow, Steps = [FlowStep], AcceptedAt = Start, Rest = new WorkflowRest(JobStateName.Paused, Start.AddSeconds(1), Untold with { Report = null }) },
        WorkflowState.None(Flow) with { Spec = FlowSpec with { IdempotencyKey = null, ForkOf = default }, Steps = [StepState.Of(FlowSpec.Steps[0])], AcceptedAt = Start },
    ];

    private static WorkflowId Flow => WorkflowId.FromIdempotencyKey(Home, "flow");

    private static WorkflowSpec FlowSpec => new(
        "nightly",
        [KeyValuePair.Create("lr", "0.1"), KeyValuePair.Create("empty", "")],
        Laptop,
        3,
        [new StepSpec("train", FullSpec, new StepTargets(ArraySpec.Targets, ["gpu"]), [new StepNeed(DependencyCondition.Any, "prepare")], IsShell: true, AllowFailure: true) { Inputs = [new StepInput("in", "prepare", "out")] }],
        "a key",
        WorkflowId.FromIdempotencyKey(Home, "other"));

    private static WorkflowSpec ToldFlow => FlowSpec with { Notify = new Notify("https://example.org/hook", NotifyOn.Failure) };

    private static StepRun FlowRun => new(Job, Gpu, "gpu-box", new StepRunEnd(JobStateName.Failed, 3, new Problem("AM0323", "3"), "text", 4, Start) { Artifacts = FullResult.Artifacts });

    private static StepState FlowStep => new(FlowSpec.Steps[0], StepStateName.Failed, 2, [FlowRun], new Problem("AM0323", "3", "look"), Start, Start.AddSeconds(1), IsTaken: true);

    private static ArrayId Grid => ArrayId.FromIdempotencyKey(Home, "grid");

    private static ArraySpec ArraySpec => new(FullSpec, new ArrayTargets("@all,gpu,label:x", true, [Gpu, Third], ["x", "zone=lab"]), new ArrayItems(["lr", "seed"], ["0.1", "a b", "", "ä,\n"]), 8);

    private static ArraySpec ToldGrid => ArraySpec with { Notify = new Notify("https://example.org/hook", NotifyOn.Success) };

    private static ElementRun Element => new(0, 1, Job, Gpu, "gpu-box", Start);

    private static ElementEnd ElementOver => new(Element, JobStateName.Failed, 3, new Problem("AM0323", "ended", "look"), "text", Start, Start.AddSeconds(3));

    private static EndReport Report => new(2, Gpu, "gpu-box", 3, Start, Start.AddSeconds(8), new Problem("AM0323", "ended", "look"), 70_000, 5, "42");

    private static Delivery Untold => new(DeliveryState.Due, 3, Start.AddMinutes(1), Start, 503, new Problem("AM0636", "the receiver answered with status 503")) { Report = Report, Number = 12 };

    private static JobSpec ToldSpec => Spec with { Notify = new Notify("https://example.org/hook", NotifyOn.Failure) };

    private static CronId Nightly => new(Home, "nightly.job_1");

    private static CronSpec CronSpec => new("0 3 * * *", "Europe/Berlin", FullSpec, CronMissed.Once, CronOverlap.Allow, 3) { Jitter = TimeSpan.FromMinutes(5), IsFromFile = true, Window = TimeSpan.FromHours(2), Targets = new CronTargets(new ArrayTargets("any(gpu)", Everybody: false, [Gpu], ["gpu"]), IsOne: true), Notify = new Notify("https://example.org/hook", NotifyOn.Failure) };

    private static ImmutableArray<CronRun> CronRuns =>
        [new CronRun(Job, Start, CronCause.Manual, Start.AddSeconds(1), null, null), new CronRun(Job, Start, CronCause.Schedule, Start.AddSeconds(1), JobStateName.Completed, Start.AddSeconds(9)) { Delivery = Untold }];
}
