using System.Collections.Immutable;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Protocol.Identity;
using Google.Protobuf;

namespace AgentMesh.Mesh.Contracts;

/// <summary>Parts that several contracts share, to and from the wire. Reading throws <see cref="ContractException"/> for what cannot be.</summary>
internal static class WireParts
{
    public static long ToWire(DateTimeOffset time) => time.ToUnixTimeMilliseconds();

    public static DateTimeOffset ToTime(long milliseconds)
    {
        try
        {
            return DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);
        }
        catch (ArgumentOutOfRangeException)
        {
            throw new ContractException($"{milliseconds} is no time");
        }
    }

    public static long ToWire(TimeSpan span) => (long)span.TotalMilliseconds;

    public static TimeSpan ToSpan(long milliseconds) => milliseconds is >= 0 and <= long.MaxValue / TimeSpan.TicksPerMillisecond
        ? TimeSpan.FromTicks(milliseconds * TimeSpan.TicksPerMillisecond)
        : throw new ContractException($"{milliseconds} ms is no duration");

    public static JobId ToJobId(string text) => JobId.TryParse(text, out JobId id) ? id : throw new ContractException("no job id");

    public static DeviceId ToDevice(string text) => DeviceId.TryParse(text, out DeviceId id) ? id : throw new ContractException("no device id");

    public static int ToAttempt(int attempt) => attempt >= 1 ? attempt : throw new ContractException($"{attempt} is no attempt");

    public static T Required<T>(T? part)
        where T : class => part ?? throw new ContractException($"a {typeof(T).Name} is missing");

    public static TEnum ToEnum<TEnum>(int number)
        where TEnum : struct, Enum
    {
        var value = (TEnum)Enum.ToObject(typeof(TEnum), number);
        return Enum.IsDefined(value) ? value : throw new ContractException($"{number} is no {typeof(TEnum).Name}");
    }

    public static Wire.Command ToWire(JobCommand command)
    {
        var wire = new Wire.Command { Line = command.Line };
        wire.Words.AddRange(command.Words);
        foreach ((string name, string text) in command.CallerAliases)
        {
            wire.CallerAliases.Add(name, text);
        }

        foreach ((string name, string text) in command.Environment)
        {
            wire.Environment.Add(name, text);
        }

        wire.Directory = command.Directory ?? "";
        wire.Input = command.Input is { } input
            ? new Wire.InputParts
            {
                From = input.From?.ToString() ?? "",
                LoginShell = input.LoginShell,
                Terminal = input.Terminal is { } terminal ? new Wire.TerminalParts { Name = terminal.Name, Columns = terminal.Columns, Rows = terminal.Rows } : null,
            }
            : null;
        wire.PipeTo = command.PipeTo is { } pipe ? new Wire.PipeParts { Device = pipe.Device.ToString(), Job = pipe.Job.ToString() } : null;
        return wire;
    }

    public static JobCommand FromWire(Wire.Command? wire) =>
        new(Required(wire).Line, [.. wire!.Words], wire.CallerAliases.ToImmutableSortedDictionary(StringComparer.Ordinal))
        {
            Environment = wire.Environment.Count <= JobCommand.EnvironmentMax && wire.Environment.Keys.All(JobCommand.IsVariable)
                ? wire.Environment.ToImmutableSortedDictionary(StringComparer.Ordinal)
                : throw new ContractException("no variables of an environment"),
            Directory = wire.Directory.Length == 0 ? null : wire.Directory,
            Input = FromWire(wire.Input),
            PipeTo = wire.PipeTo is { } pipe ? new JobPipe(ToDevice(pipe.Device), ToJobId(pipe.Job)) : null,
        };

    private static JobInput? FromWire(Wire.InputParts? wire)
    {
        if (wire is null)
        {
            return null;
        }

        JobTerminal? terminal = wire.Terminal is { } given ? new JobTerminal(given.Name, given.Columns, given.Rows) : null;
        return terminal is null or { IsSane: true } ? new JobInput(wire.From.Length == 0 ? null : ToDevice(wire.From), terminal, wire.LoginShell) : throw new ContractException("no terminal");
    }

    public static Wire.Caller ToWire(Caller caller) => new() { Device = caller.Device.ToString(), DeviceName = caller.DeviceName, User = caller.User };

    public static Caller FromWire(Wire.Caller? wire) => new(ToDevice(Required(wire).Device), wire!.DeviceName, wire.User);

    public static Wire.Target ToWire(JobTarget target)
    {
        var wire = new Wire.Target { Device = target.Device.ToString(), Selector = target.Selector, Name = target.Name };
        if (target.Why is { } why)
        {
            wire.Why = why;
        }

        return wire;
    }

    public static JobTarget FromWire(Wire.Target? wire) => new(ToDevice(Required(wire).Device), wire!.Selector, wire.Name) { Why = wire.HasWhy ? wire.Why : null };

    public static Wire.JobSpec ToWire(JobSpec spec)
    {
        var wire = new Wire.JobSpec
        {
            Command = ToWire(spec.Command),
            Target = ToWire(spec.Target),
            Caller = ToWire(spec.Caller),
            Retry = new Wire.RetryPolicy
            {
                Attempts = spec.Retry.Attempts,
                BackoffMin = ToWire(spec.Retry.BackoffMin),
                BackoffMax = ToWire(spec.Retry.BackoffMax),
                Jitter = spec.Retry.Jitter,
                RetryExitCodes = spec.Retry.RetryExitCodes,
                FailWhenUsedUp = spec.Retry.FailWhenUsedUp,
            },
            Timeouts = new Wire.Timeouts { Heartbeat = ToWire(spec.Timeouts.Heartbeat) },
            IdempotencyKey = spec.IdempotencyKey ?? "",
            QueueWhenOffline = spec.QueueWhenOffline,
            Needs = PlacementParts.ToWire(spec.Needs),
            Notify = DeliveryParts.ToWire(spec.Notify),
            After = { spec.After.Select(dependency => new Wire.Dependency { Condition = (int)dependency.Condition, Job = dependency.JobId.ToString() }) },
        };
        wire.Retry.FinalExitCodes.AddRange(spec.Retry.FinalExitCodes);
        wire.Artifacts.AddRange(spec.Artifacts.Select(ArtifactParts.ToWire));
        wire.Inputs.AddRange(spec.Inputs.Select(ArtifactParts.ToWire));
        if (spec.Owner is { } owner)
        {
            wire.Workflow = owner.Workflow;
            wire.Step = owner.Step;
        }

        if (spec.Timeouts.Queue is { } queue)
        {
            wire.Timeouts.Queue = ToWire(queue);
        }

        if (spec.Timeouts.Attempt is { } attempt)
        {
            wire.Timeouts.Attempt = ToWire(attempt);
        }

        if (spec.Timeouts.Total is { } total)
        {
            wire.Timeouts.Total = ToWire(total);
        }

        return wire;
    }

    public static JobSpec FromWire(Wire.JobSpec? wire)
    {
        Wire.RetryPolicy retry = Required(Required(wire).Retry);
        Wire.Timeouts timeouts = Required(wire!.Timeouts);
        return new JobSpec(
            FromWire(wire.Command),
            FromWire(wire.Target),
            FromWire(wire.Caller),
            new RetryPolicy(retry.Attempts, ToSpan(retry.BackoffMin), ToSpan(retry.BackoffMax), retry.Jitter, retry.RetryExitCodes, [.. retry.FinalExitCodes], retry.FailWhenUsedUp),
            new JobTimeouts(
                timeouts.HasQueue ? ToSpan(timeouts.Queue) : null,
                timeouts.HasAttempt ? ToSpan(timeouts.Attempt) : null,
                timeouts.HasTotal ? ToSpan(timeouts.Total) : null,
                ToSpan(timeouts.Heartbeat)),
            wire.IdempotencyKey.Length == 0 ? null : wire.IdempotencyKey,
            wire.QueueWhenOffline)
        {
            Needs = PlacementParts.FromWire(wire.Needs),
            After = wire.After.Count <= JobDependency.Max
                ? [.. wire.After.Select(dependency => new JobDependency(ToEnum<DependencyCondition>(dependency.Condition), ToJobId(dependency.Job)))]
                : throw new ContractException("too many jobs that must end first"),
            Artifacts = ArtifactParts.FromWire(wire.Artifacts),
            Inputs = ArtifactParts.FromWire(wire.Inputs),
            Owner = wire.HasWorkflow ? new JobOwner(wire.Workflow, wire.Step) : null,
            Notify = DeliveryParts.FromWire(wire.Notify),
        };
    }

    public static Wire.Problem? ToWire(Problem? problem)
    {
        if (problem is null)
        {
            return null;
        }

        var wire = new Wire.Problem { Code = problem.Code, Text = problem.Text };
        if (problem.NextStep is { } step)
        {
            wire.NextStep = step;
        }

        return wire;
    }

    public static Problem? FromWire(Wire.Problem? wire) => wire is null ? null : new Problem(wire.Code, wire.Text, wire.HasNextStep ? wire.NextStep : null);

    public static Wire.AttemptResult? ToWire(AttemptResult? result)
    {
        if (result is null)
        {
            return null;
        }

        var wire = new Wire.AttemptResult
        {
            Outcome = (Wire.Outcome)result.Outcome,
            StdoutBytes = result.StdoutBytes,
            StderrBytes = result.StderrBytes,
            PipedBytes = result.PipedBytes,
            Problem = ToWire(result.Problem),
        };
        if (result.ExitCode is { } code)
        {
            wire.ExitCode = code;
        }

        if (result.Text is { } text)
        {
            wire.Text = text;
        }

        if (result.Alias is { } alias)
        {
            wire.Alias = alias;
        }

        wire.Artifacts.AddRange(result.Artifacts.Select(ArtifactParts.ToWire));
        if (result.RetryAfter is { } after)
        {
            wire.RetryAfter = ToWire(after);
        }

        if (result.Checkpoint is { } checkpoint)
        {
            wire.Checkpoint = ToWire(checkpoint);
        }

        if (result.Usage?.Cpu is { } cpu)
        {
            wire.CpuMicroseconds = (long)cpu.TotalMicroseconds;
        }

        if (result.Usage?.MemoryPeakBytes is { } memory)
        {
            wire.MemoryPeakBytes = memory;
        }

        return wire;
    }

    public static AttemptResult? FromWire(Wire.AttemptResult? wire) => wire is null
        ? null
        : new AttemptResult(
            ToEnum<AttemptOutcome>((int)wire.Outcome),
            wire.HasExitCode ? wire.ExitCode : null,
            wire.HasText ? wire.Text : null,
            wire.StdoutBytes,
            wire.StderrBytes,
            FromWire(wire.Problem),
            wire.HasAlias ? wire.Alias : null)
        {
            Artifacts = ArtifactParts.FromWire(wire.Artifacts),
            RetryAfter = wire.HasRetryAfter ? ToSpan(wire.RetryAfter) : null,
            Checkpoint = wire.HasCheckpoint ? ToCheckpoint(wire.Checkpoint) : null,
            PipedBytes = wire.PipedBytes,
            Usage = wire.HasCpuMicroseconds || wire.HasMemoryPeakBytes
                ? new ProgramUsage(wire.HasCpuMicroseconds ? TimeSpan.FromMicroseconds(Math.Clamp(wire.CpuMicroseconds, 0, long.MaxValue / 100)) : null, wire.HasMemoryPeakBytes ? wire.MemoryPeakBytes : null)
                : null,
        };

    public static ByteString ToWire(Checkpoint checkpoint) => ByteString.CopyFrom(checkpoint.Data.AsSpan());

    public static Checkpoint ToCheckpoint(ByteString bytes) => bytes.Length <= Checkpoint.BytesMax
        ? new Checkpoint([.. bytes.Span])
        : throw new ContractException($"a checkpoint of {bytes.Length} bytes");

    public static Wire.KeptCheckpoint? ToWire(KeptCheckpoint? kept) =>
        kept is null ? null : new Wire.KeptCheckpoint { Data = ToWire(kept.Data), Attempt = kept.Attempt, At = ToWire(kept.At) };

    public static KeptCheckpoint? FromWire(Wire.KeptCheckpoint? wire) =>
        wire is null ? null : new KeptCheckpoint(ToCheckpoint(wire.Data), ToAttempt(wire.Attempt), ToTime(wire.At));

    public static Wire.Progress? ToWire(Progress? progress)
    {
        if (progress is null)
        {
            return null;
        }

        var wire = new Wire.Progress { Text = progress.Text };
        if (progress.Fraction is { } fraction)
        {
            wire.Fraction = fraction;
        }

        return wire;
    }

    public static Progress? FromWire(Wire.Progress? wire) => wire is null ? null : Progress.Bounded(wire.HasFraction ? wire.Fraction : null, wire.Text);

    public static Wire.Placement? ToWire(Placement? placement) => placement is null
        ? null
        : new Wire.Placement { Attempt = placement.Attempt, Device = placement.Device.ToString(), Incarnation = placement.Incarnation };

    public static Placement? FromWire(Wire.Placement? wire) => wire is null ? null : new Placement(ToAttempt(wire.Attempt), ToDevice(wire.Device), wire.Incarnation);
}
