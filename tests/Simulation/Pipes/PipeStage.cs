using System.Globalization;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Workers.Attempts;
using Simulation.Engine;

namespace Simulation.Pipes;

/// <summary>One program of a pipe: what really becomes of it, whatever the devices believe, what its home has recorded, and what must hold of both.</summary>
internal sealed class PipeStage(SimLoop loop, AttemptKey key, PipeDevice device, ProgramPlan plan, ulong content)
{
    /// <summary>Exit code of a program that writes when nobody reads any more.</summary>
    public const int BrokenPipe = 141;

    /// <summary>Beyond what waits to be read, on the disk of who writes: what was read of the oldest file, and the newest one's beginning.</summary>
    private const long DiskSlack = AgentMesh.Shim.Format.ShimFiles.SegmentBytes;

    public AttemptKey Key => key;

    public PipeDevice Device => device;

    public ProgramPlan Plan => plan;

    /// <summary>See <see cref="PipeContent"/>.</summary>
    public ulong Content => content;

    /// <summary>Whose output it reads.</summary>
    public PipeStage? Before { get; set; }

    public PipeStage? After { get; set; }

    public bool HasBegun { get; private set; }

    public long Written { get; private set; }

    /// <summary>By its shim.</summary>
    public long Received { get; private set; }

    public long Read { get; private set; }

    public long? InputEnd { get; private set; }

    public bool IsInputClosed { get; set; }

    /// <summary>With its machine, or with its shim.</summary>
    public bool IsKilled { get; set; }

    /// <summary>Null while it runs, and when it was killed.</summary>
    public int? ExitCode { get; private set; }

    /// <summary>By itself, and not because it was told to.</summary>
    public bool HasEndedWell { get; private set; }

    private bool IsOver => ExitCode is not null || IsKilled;

    /// <summary>At the home: the order has gone out.</summary>
    public bool IsOrdered { get; set; }

    /// <summary>At the home: it is to end.</summary>
    public bool IsCancelled { get; set; }

    /// <summary>At the home: how the job came to rest.</summary>
    public AttemptResult? Recorded { get; set; }

    /// <summary>What the home has of the output of the last one.</summary>
    public long Fetched { get; set; }

    /// <summary>The home has recorded an end that the program itself came to.</summary>
    public bool IsRecordedAsItsOwn => Recorded is { ExitCode: not null, Problem: null, Outcome: AttemptOutcome.Succeeded or AttemptOutcome.Failed };

    public AttemptOrder Order => new(key, "", ["/bin/sh"], new Caller(key.Job.Home.Device, "home", "user"), null, null)
    {
        Input = Before is { } before ? new JobInput(before.Device.Id) : null,
        PipeTo = After is { } after ? new JobPipe(after.Device.Id, after.Key.Job) : null,
    };

    public override string ToString() => $"{key.Job.Short} on device {device.Number}";

    public void Begin()
    {
        Require(!HasBegun, () => "begins a second time");
        HasBegun = true;
        loop.Note($"{this} begins");
    }

    public void Writes(int count, long spoolBytesMax, bool isOutputClosed)
    {
        Written += count;
        Require(
            After is not { } after || isOutputClosed || after.IsInputClosed || after.IsOver || after.Recorded is not null || Written - after.Received <= spoolBytesMax,
            () => $"has written {Written} bytes, of which the next one was given {After!.Received}: more than {spoolBytesMax} wait");
    }

    public void HasOnDisk(long bytes, long spoolBytesMax) =>
        Require(bytes <= spoolBytesMax + DiskSlack, () => $"has {bytes} bytes of output on its disk, with a bound of {spoolBytesMax}");

    /// <returns>False when it is not what comes next.</returns>
    public bool Receives(long offset, int count)
    {
        bool isNext = offset == Received && InputEnd is null;
        Require(isNext, () => $"is given input at {offset} and has {Received}, with the end at {InputEnd?.ToString(CultureInfo.InvariantCulture) ?? "-"}");
        Received += isNext ? count : 0;
        return isNext;
    }

    public bool HasRoom(bool isRoom)
    {
        Require(isRoom, () => "is given more input than its shim has room for");
        return isRoom;
    }

    public void Reads(ReadOnlySpan<byte> bytes)
    {
        PipeStage before = Before!;
        bool isSame = Read + bytes.Length <= before.Written && PipeContent.Is(before.Content, Read, bytes);
        int count = bytes.Length;
        Require(isSame, () => $"reads {count} bytes at {Read} that are not those of {before}, which has written {before.Written}");
        Read += count;
    }

    public void EndComes(long offset)
    {
        PipeStage before = Before!;
        Require(
            before.HasEndedWell && offset == before.Written && offset == Received,
            () => $"is told at {offset} that its input ends, and has {Received}; {before} has written {before.Written} and {(before.IsOver ? before.HasEndedWell ? "ended" : "was ended" : "goes on")}");
        InputEnd = offset;
    }

    public void SeesEnd() => Require(Read == Before!.Written, () => $"reads its end after {Read} bytes of {Before.Written}");

    public void OutputCloses() => Require(
        After is { } after && (after.IsInputClosed || after.IsOver || after.Recorded is not null),
        () => $"loses its reader {After}, which reads on");

    public void Ends(int code, bool isOwn)
    {
        ExitCode = code;
        HasEndedWell = isOwn;
        loop.Note($"{this} ends with {code}, read {Read}, wrote {Written}{(isOwn ? "" : ", was told to")}");
    }

    public void Fetches(ReadOnlySpan<byte> bytes)
    {
        int count = bytes.Length;
        bool isSame = Fetched + count <= Written && PipeContent.Is(content, Fetched, bytes);
        Require(isSame, () => $"has other output at {Fetched} than it has written");
        Fetched += count;
    }

    /// <summary>When its end is recorded.</summary>
    public void CheckRecorded(AttemptResult result)
    {
        loop.Note($"{this} is recorded: {result.Outcome} {result.ExitCode} {result.Problem?.Code}");
        Recorded = result;
        if (IsRecordedAsItsOwn)
        {
            Require(
                HasEndedWell && ExitCode == result.ExitCode && (result.Outcome == AttemptOutcome.Succeeded) == (ExitCode == 0),
                () => $"is recorded with {result.Outcome} and exit code {result.ExitCode}, and ended with {ExitCode?.ToString(CultureInfo.InvariantCulture) ?? "none"}");
            Require((After is null ? result.StdoutBytes : result.PipedBytes) == Written, () => $"is recorded with {result.StdoutBytes} and {result.PipedBytes} bytes, and wrote {Written}");
            Require(After is not null || Fetched == Written, () => $"is recorded when its home has {Fetched} bytes of {Written}");
        }
    }

    private void Require(bool holds, Func<string> what) => loop.Require(holds, () => $"{this} {what()}");
}
