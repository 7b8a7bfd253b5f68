using System.Collections.Immutable;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Sharding;
using AgentMesh.Protocol.Identity;
using Akka.Actor;
using Akka.Cluster.Sharding;
using Akka.Persistence;

namespace AgentMesh.Mesh.Groups.Entity;

/// <summary>What a group needs of the device it lives on.</summary>
/// <param name="Jobs">The jobs of this home.</param>
/// <param name="RestAfter">So long a group that nobody waits for stays in memory.</param>
public sealed record GroupEnvironment(DeviceId Self, Func<IActorRef> Jobs, TimeProvider Time, TimeSpan RestAfter)
{
    /// <summary>Null for the default journal of the actor system.</summary>
    public HomeJournal? Journal { get; init; }

    /// <summary>Whether a device speaks for this home; null where only its own device does.</summary>
    public Func<DeviceId, bool>? IsHome { get; init; }
}

/// <summary>
/// One group of jobs at its home. That a job has its turn is journalled before the job is told, and that it has come to rest before the next one gets it: never
/// do more run than the limit, whatever is killed. Who waits asks again, so that nothing has to be kept of it.
/// </summary>
public sealed class GroupEntity : HomeEntity<IGroupEvent>
{
    private const int EventsOfSnapshot = 200;

    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(5);

    private readonly GroupEnvironment _environment;
    private readonly GroupTurns _turns;
    private readonly HolderWatch _watch;
    private readonly HashSet<JobId> _over = [];
    private GroupState _group;

    public GroupEntity(GroupId id, GroupEnvironment environment)
        : base(id.ToString(), environment.Self, environment.Time, EventsOfSnapshot, environment.Journal, environment.IsHome)
    {
        _environment = environment;
        _turns = new GroupTurns(environment.Time);
        _watch = new HolderWatch(environment.Time);
        _group = GroupState.None(id);
        Recover<SnapshotOffer>(offer => _group = ((GroupSnapshot)offer.Snapshot).ToState(id));
        Recover<RecoveryCompleted>(_ =>
        {
            _turns.Follow(_group);
            LookAtOnce();
        });
        Command<SetGroup>(request => Owned(() => OnSet(request)));
        Command<GetGroup>(_ => Known(() => Sender.Tell(View())));
        Command<RemoveGroup>(_ => Known(OnRemove));
        Command<AskTurn>(ask => Owned(() => OnAsk(ask)));
        FromJobs<JobView>(OnJobView, _watch.AskSoon);
        FromJobs<JobProblem>(OnJobProblem, _watch.AskSoon);
        Command<ReceiveTimeout>(_ => Context.Parent.Tell(new Passivate(PoisonPill.Instance)));
    }

    public static Props Create(GroupId id, GroupEnvironment environment) => Props.Create(() => new GroupEntity(id, environment));

    protected override string Kind => "a group";

    protected override object? Missing => _group.Settings is not null || _group.Granted > 0 || _turns.Waiting > 0
        ? null
        : Refusal(MeshErrors.UnknownGroup, $"there is no group '{_group.GroupId.Name}' on this device", "'agentmesh group list' shows those that are; 'agentmesh group set NAME --max N' makes one");

    protected override void Apply(IGroupEvent change) => _group = _group.Apply(change);

    protected override object Snapshot() => GroupSnapshot.Of(_group);

    protected override object NotStored(string why) =>
        Refusal(MeshErrors.NotStored, $"the journal of this device did not take it: {why}", "look at the log of the node; 'agentmesh group list' tells whether it was taken after all");

    // What was not journalled is not given: from what is, with everybody asking again.
    protected override void AfterRejection() => throw new InvalidOperationException("the journal refused an event of a group");

    private void OnSet(SetGroup request)
    {
        IActorRef asker = Sender;
        if (request.Max is < 1 or > GroupSettings.HoldersMax)
        {
            asker.Tell(Refusal(MeshErrors.BadGroupLimit, $"{request.Max} jobs at the same time cannot be", $"it is 1 to {GroupSettings.HoldersMax}; 'agentmesh group pause {_group.GroupId.Name}' lets none begin"));
            return;
        }

        GroupSettings before = _group.InForce;
        var wanted = new GroupSettings(request.LiftMax ? null : request.Max ?? before.Max, request.Paused ?? before.IsPaused);
        if (wanted == _group.Settings)
        {
            asker.Tell(View());
        }
        else
        {
            Record(new GroupSetEvent(Now, wanted), asker, () => asker.Tell(View()));
        }
    }

    private void OnRemove()
    {
        IActorRef asker = Sender;
        Record(new GroupRemovedEvent(Now), asker, () => asker.Tell(new GroupRemoved(_group.GroupId)));
    }

    private void OnAsk(AskTurn ask)
    {
        if (_group.Holders.Contains(ask.JobId))
        {
            if (_over.Remove(ask.JobId))
            {
                // It came to rest and was tried again before its place was given back: it keeps that, and its next end counts.
                _watch.Waits(ask.JobId);
            }

            Sender.Tell(new TurnAnswer(ask.JobId, IsGranted: true, null));
        }
        else if (!_turns.TryAdd(ask, Sender))
        {
            Sender.Tell(new TurnAnswer(ask.JobId, IsGranted: false, $"{GroupTurns.WaitingMax} jobs wait in the group {_group.GroupId.Name} already; it asks again"));
        }
        else
        {
            if (_group.InForce.IsPaused || _group.Holders.Count >= _group.InForce.Places)
            {
                Sender.Tell(new TurnAnswer(ask.JobId, IsGranted: false, _turns.Why(ask.JobId, _group)));
            }

            LookAtOnce();
        }
    }

    private void OnJobView(JobView view)
    {
        if (!view.State.IsAtRest())
        {
            _watch.Waits(view.JobId);
        }
        else if (_group.Holders.Contains(view.JobId) && _over.Add(view.JobId))
        {
            // Behind what else came to rest meanwhile: one event for all of them.
            LookAtOnce();
        }
    }

    private void OnJobProblem(JobProblem problem)
    {
        if (problem.Problem.Code != MeshErrors.UnknownJob)
        {
            // A member of the pool that does not know this one yet, for instance.
            _watch.AskSoon(problem.JobId);
        }
        else if (_group.Holders.Contains(problem.JobId) && _over.Add(problem.JobId))
        {
            LookAtOnce();
        }
    }

    protected override void OnLook()
    {
        if (_over.Count > 0)
        {
            ImmutableArray<JobId> over = [.. _over];
            _over.Clear();
            Record(new GroupReturnedEvent(Now, over), null, () =>
            {
                _turns.Return(over);
                _watch.Forget(over);
                LookAtOnce();
            });
        }
        else if (_turns.Next(_group.InForce) is { Count: > 0 } granted)
        {
            Record(new GroupGrantedEvent(Now, [.. granted]), null, () =>
            {
                foreach (JobId job in granted)
                {
                    _turns.AskerOf(job)?.Tell(new TurnAnswer(job, IsGranted: true, null));
                }

                LookAtOnce();
            });
        }
        else
        {
            Settle();
        }
    }

    private void Record(IGroupEvent change, IActorRef? asker, Action then) => Record(change, asker, _ =>
    {
        then();
        Settle();
        LookAtOnce();
    });

    private void Settle()
    {
        _watch.Ask(_group.Holders, _environment.Jobs(), Self);
        if (_turns.Waiting == 0 && _group.Holders.IsEmpty)
        {
            StopLooking();
            Context.SetReceiveTimeout(_environment.RestAfter);
            return;
        }

        Context.SetReceiveTimeout(null);
        LookAgain(LookEvery);
    }

    private GroupView View() => new(_group.GroupId, _group.InForce, _group.Settings is not null, [.. _group.Holders.Take(GroupView.HoldersShown)], _group.Holders.Count, _turns.Waiting, _group.Granted);

    protected override GroupProblem Refusal(string code, string text, string? next) => new(_group.GroupId, new Problem(code, text, next));
}
