using System.Globalization;
using AgentMesh.Errors;
using AgentMesh.Journal;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Contracts;
using AgentMesh.Mesh.Cron;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Selectors;
using AgentMesh.Mesh.Turns;
using AgentMesh.Mesh.Workflows.File;
using AgentMesh.Node.Control;
using AgentMesh.Node.Webhooks;
using MeshBackfillView = AgentMesh.Mesh.Cron.CronBackfillView;
using MeshCronView = AgentMesh.Mesh.Cron.CronView;

namespace AgentMesh.Node.Services;

/// <summary>The schedules of this device, and those of its pool, which are written <c>POOL/NAME</c>.</summary>
internal sealed class CronService(Homes homes, JobSpecs specs, Devices devices, DeviceChoice choice, Entities entities, JobService jobs, NotifyRequests notify, UlidSource ids) : IDisposable
{
    private readonly SemaphoreSlim _adding = new(1);

    public void Dispose() => _adding.Dispose();

    /// <exception cref="MeshException">The name, the schedule, the zone, the device or the command is wrong, the name is taken (AM0343), or there are too many (AM0346), or its runs may not be told to that URL (AM0632, AM0633).</exception>
    public async Task<Control.CronView> AddAsync(CronRequest request, bool isFromFile, CancellationToken cancellationToken)
    {
        // What a client leaves out of its JSON is null, whatever the type says.
        (HomeIndex index, CronId id) = Find(request.Name ?? "");
        CronSpec spec = SpecOf(request) with { IsFromFile = isFromFile };
        CronRules.Check(spec);
        if (index.Home.IsPool && CronExpression.Parse(spec.Schedule).IsReboot)
        {
            throw Wrong("@reboot is the start of a device, and a pool has none", "add it to the devices themselves");
        }

        await _adding.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            IReadOnlyList<CronId> known = await FindAsync(index, CronRules.PerDeviceMax, cancellationToken).ConfigureAwait(false);
            if (known.Count >= CronRules.PerDeviceMax && !known.Contains(id))
            {
                throw new MeshException(MeshErrors.TooManyCrons, $"there are {known.Count} schedules; more are not kept", "'agentmesh cron rm NAME' removes one");
            }

            return CronViews.Of(await entities.AskAsync<MeshCronView>(new CreateCron(id, spec, request.Replace), cancellationToken).ConfigureAwait(false));
        }
        finally
        {
            _adding.Release();
        }
    }

    /// <param name="all">Those of the pool too.</param>
    public async Task<IReadOnlyList<Control.CronView>> ListAsync(bool all, CancellationToken cancellationToken)
    {
        var views = new List<Control.CronView>();
        foreach (HomeIndex index in homes.All.Where(index => all || !index.Home.IsPool))
        {
            IReadOnlyList<CronId> known = await FindAsync(index, CronRules.PerDeviceMax, cancellationToken).ConfigureAwait(false);
            views.AddRange((await Task.WhenAll(known.Select(id => ShowIfThereAsync(id, cancellationToken))).ConfigureAwait(false)).OfType<Control.CronView>());
        }

        return [.. views.OrderBy(view => view.Name, StringComparer.Ordinal)];
    }

    public Task<Control.CronView> ShowAsync(string name, CancellationToken cancellationToken) => ShowAsync(Find(name).Id, cancellationToken);

    public async Task<Control.CronView> EnableAsync(string name, bool enabled, CancellationToken cancellationToken) =>
        CronViews.Of(await entities.AskAsync<MeshCronView>(new EnableCron(Find(name).Id, enabled), cancellationToken).ConfigureAwait(false));

    public async Task<Control.JobView> RunAsync(string name, CancellationToken cancellationToken)
    {
        CronStarted started = await entities.AskAsync<CronStarted>(new RunCron(Find(name).Id, ids.Next().ToString()), cancellationToken).ConfigureAwait(false);
        return JobViews.Of(await jobs.GetAsync(started.JobId, cancellationToken).ConfigureAwait(false));
    }

    /// <exception cref="MeshException">AM0324: the span. AM0311: it is disabled, or an earlier one is not over.</exception>
    public async Task<Control.CronBackfillView> BackfillAsync(string name, BackfillRequest request, CancellationToken cancellationToken)
    {
        TimeZoneInfo zone = TimeZoneInfo.FindSystemTimeZoneById((await ShowAsync(name, cancellationToken).ConfigureAwait(false)).TimeZone);
        var question = new BackfillCron(Find(name).Id, MomentOf(request.From, zone, "from"), MomentOf(request.To, zone, "to"), request.DryRun);
        MeshBackfillView answer = await entities.AskAsync<MeshBackfillView>(question, cancellationToken).ConfigureAwait(false);
        return new Control.CronBackfillView(CronViews.NameOf(answer.CronId), zone.Id, answer.IsDryRun, answer.Times);
    }

    /// <summary>With an offset as it is, without one as the clocks of the schedule show it.</summary>
    private static DateTimeOffset MomentOf(string? text, TimeZoneInfo zone, string what)
    {
        string[] local = ["yyyy-MM-dd", "yyyy-MM-dd'T'HH:mm", "yyyy-MM-dd HH:mm", "yyyy-MM-dd'T'HH:mm:ss", "yyyy-MM-dd HH:mm:ss"];
        if (DateTime.TryParseExact(text, local, CultureInfo.InvariantCulture, DateTimeStyles.None, out DateTime shown))
        {
            return new DateTimeOffset(shown, zone.GetUtcOffset(shown));
        }

        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset moment)
            ? moment
            : throw new MeshException(MeshErrors.BadBackfill, $"'{text}' is no moment for '{what}'", "write 2026-03-01, 2026-03-01T04:30 (as the clocks of the schedule show it) or 2026-03-01T04:30:00Z");
    }

    public async Task<CronRemovedView> RemoveAsync(string name, CancellationToken cancellationToken)
    {
        CronRemoved removed = await entities.AskAsync<CronRemoved>(new RemoveCron(Find(name).Id), cancellationToken).ConfigureAwait(false);
        return new CronRemovedView(CronViews.NameOf(removed.CronId));
    }

    private async Task<Control.CronView> ShowAsync(CronId id, CancellationToken cancellationToken) =>
        CronViews.Of(await entities.AskAsync<MeshCronView>(new GetCron(id), cancellationToken).ConfigureAwait(false));

    /// <exception cref="MeshException">AM0344: not a name for a schedule. AM0456: no pool of this device.</exception>
    private (HomeIndex Index, CronId Id) Find(string name)
    {
        int slash = name.IndexOf('/', StringComparison.Ordinal);
        HomeIndex index = homes.Of(slash > 0 ? name[..slash] : Homes.DeviceName);
        return (index, new CronId(index.Home, name[(slash + 1)..]));
    }

    private async Task<Control.CronView?> ShowIfThereAsync(CronId id, CancellationToken cancellationToken)
    {
        try
        {
            return await ShowAsync(id, cancellationToken).ConfigureAwait(false);
        }
        catch (MeshException gone) when (gone.Code == MeshErrors.UnknownCron)
        {
            return null;
        }
    }

    private static async Task<IReadOnlyList<CronId>> FindAsync(HomeIndex index, int limit, CancellationToken cancellationToken)
    {
        IReadOnlyList<EntitySummary> found = await index.Journal.OpenAsync($"{CronId.Prefix}{index.Home}/", CronManifests.Gone, limit, cancellationToken).ConfigureAwait(false);
        return [.. found.Select(entity => CronId.TryParse(entity.PersistenceId, out CronId id) ? id : default).Where(id => !id.IsNone)];
    }

    private CronSpec SpecOf(CronRequest request)
    {
        (string? selector, JobCommand command) = specs.Read(request.Line, request.Target, request.Arguments);
        command = ProgramPlace.Apply(command, request.Environment, request.Directory);
        CronTargets? targets = TargetsOf(selector);
        if (request.PauseAfter is < 0 or > CronSpec.PauseAfterMax || request.Attempts is < 1)
        {
            throw Wrong($"attempts are 1 or more, and pauseAfter is 0 to {CronSpec.PauseAfterMax}", "leave them out for the defaults");
        }

        (CronMissed missed, TimeSpan window) = MissedOf(request.Missed);
        return new CronSpec(
            (request.Schedule ?? "").Trim(),
            request.TimeZone ?? OwnZone(),
            specs.Of(command, selector is null || targets is not null ? devices.Self : devices.One(selector), selector, request.Attempts, request.AttemptTimeoutMs) with { Needs = JobNeeds.Parse(request.Resources, request.Priority, request.Group) },
            missed,
            One<CronOverlap>(request.Overlap, "overlap") ?? CronOverlap.Skip,
            request.PauseAfter ?? 0)
        {
            Window = window,
            Targets = targets,
            Notify = notify.Read(request.Notify, request.NotifyOn),
            Jitter = TimeSpan.FromMilliseconds(Math.Floor(Math.Clamp(request.JitterMs ?? 0, -1, 1e9))),
        };
    }

    /// <summary>A policy, or <c>window</c> and how far back it reaches.</summary>
    private static (CronMissed Policy, TimeSpan Window) MissedOf(string? text)
    {
        string[] words = (text ?? "skip").Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return words switch
        {
            [var word, var span] when word.Equals("window", StringComparison.OrdinalIgnoreCase) => (CronMissed.Window, DurationText.TryRead(span)
                ?? throw Wrong($"'{span}' is no window", "write for example 'window 2h': times that were missed at most two hours ago are made up for")),
            ["window"] => throw Wrong("how far back the window reaches is missing", "write for example 'window 2h'"),
            [var word] => (One<CronMissed>(word, "missed")!.Value, TimeSpan.Zero),
            _ => throw Wrong($"'{text}' is nothing that 'missed' can be", "it is one of: skip, once, all, window 2h"),
        };
    }

    /// <summary>Of a selector that means several devices, or one of several; they are looked for at each time.</summary>
    private CronTargets? TargetsOf(string? selector)
    {
        if (selector is null || Selector.Parse(selector) is not { SingleDevice: null } read)
        {
            return null;
        }

        bool isOne = read.Terms.Any(term => term.Kind == SelectorKind.OneWith);
        return isOne && read.Terms.Length > 1
            ? throw Wrong($"a schedule takes one of several devices or all that are named, not both: @{selector}", "add a schedule for each")
            : new CronTargets(choice.TargetsOf(selector), isOne);
    }

    /// <summary>Written down with the schedule: a device that travels keeps its times.</summary>
    private static string OwnZone() => TimeZoneInfo.TryFindSystemTimeZoneById(TimeZoneInfo.Local.Id, out _)
        ? TimeZoneInfo.Local.Id
        : throw new MeshException(MeshErrors.BadZone, "the time zone of this device has no name", "name one with --tz, for example --tz Europe/Berlin");

    private static T? One<T>(string? text, string what)
        where T : struct, Enum => text is null
        ? null
        : Enum.GetNames<T>().FirstOrDefault(name => name.Equals(text, StringComparison.OrdinalIgnoreCase)) is { } found
            ? Enum.Parse<T>(found)
            : throw Wrong($"'{text}' is nothing that '{what}' can be", $"it is one of: {string.Join(", ", Enum.GetNames<T>().Select(name => name.ToLowerInvariant()))}");

    private static MeshException Wrong(string what, string next) => new(NodeErrors.ControlRequest, what, next);
}
