using System.Security.Cryptography;
using System.Text;
using AgentMesh.Errors;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Cron.File;
using AgentMesh.Node.Control;
using AgentMesh.Node.Services;
using Akka.Configuration;
using Microsoft.Extensions.Logging;

namespace AgentMesh.Node.Schedules;

/// <summary>
/// Makes the schedules of this device what its <c>CRON.md</c> says, when the file has changed: what a person does to them meanwhile holds until then. A file
/// that is not there changes nothing.
/// </summary>
internal sealed class CronFileKeeper : IAsyncDisposable
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(5);

    private readonly string _path;
    private readonly string _appliedPath;
    private readonly CronService _crons;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly SemaphoreSlim _one = new(1);
    private readonly CancellationTokenSource _stopping = new();
    private Task _watching = Task.CompletedTask;
    private (long Length, DateTime At) _seen;

    /// <param name="appliedPath">Where the hash of the text that is in force is kept.</param>
    public CronFileKeeper(string path, string appliedPath, CronService crons, TimeProvider time, ILogger log)
    {
        _path = path;
        _appliedPath = appliedPath;
        _crons = crons;
        _time = time;
        _log = log;
    }

    public void Start() => _watching = WatchAsync();

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _watching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stopping.Dispose();
        _one.Dispose();
    }

    /// <summary>Reads the file again though it may not have changed.</summary>
    /// <exception cref="MeshException">AM0349: it cannot be read.</exception>
    public Task<CronFileView> ReloadAsync(CancellationToken cancellationToken) => ApplyAsync(Read(), cancellationToken);

    private async Task WatchAsync()
    {
        while (true)
        {
            try
            {
                await LookAsync().ConfigureAwait(false);
            }
            catch (Exception error) when (error is MeshException or IOException or UnauthorizedAccessException or TimeoutException)
            {
                // Tried again at the next look, for example when the actor system is there again.
                _seen = default;
                Log.Failed(_log, $"taking over {_path}", error);
            }

            await Task.Delay(LookEvery, _time, _stopping.Token).ConfigureAwait(false);
        }
    }

    private async Task LookAsync()
    {
        var file = new FileInfo(_path);
        (long, DateTime) now = file.Exists ? (file.Length, file.LastWriteTimeUtc) : default;
        if (now == _seen)
        {
            return;
        }

        _seen = now;
        if (file.Exists && Read() is var text && HashOf(text) != Applied())
        {
            await ApplyAsync(text, _stopping.Token).ConfigureAwait(false);
        }
    }

    private async Task<CronFileView> ApplyAsync(string text, CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var file = CronFile.Parse(text);
            IReadOnlyList<CronView> known = await _crons.ListAsync(all: false, cancellationToken).ConfigureAwait(false);
            var entries = file.Problems.Select(problem => new CronFileEntryView(problem.Name, problem.Line, "problem", new ProblemView(MeshErrors.CronFile, $"line {problem.Line}: {problem.Text}", problem.NextStep))).ToList();
            foreach (CronFileJob job in file.Jobs)
            {
                entries.Add(await TakeAsync(job, known.FirstOrDefault(each => each.Name == job.Name), cancellationToken).ConfigureAwait(false));
            }

            foreach (CronView gone in known.Where(cron => cron.FromFile && entries.TrueForAll(entry => entry.Name != cron.Name)))
            {
                await _crons.RemoveAsync(gone.Name, cancellationToken).ConfigureAwait(false);
                entries.Add(new CronFileEntryView(gone.Name, null, "removed", null));
            }

            await File.WriteAllTextAsync(_appliedPath, HashOf(text) + "\n", cancellationToken).ConfigureAwait(false);
            foreach (CronFileEntryView entry in entries.Where(entry => entry.Problem is not null))
            {
                Log.CronFileProblem(_log, _path, entry.Problem!.Message);
            }

            Log.CronFileTaken(_log, _path, entries.Count(entry => entry.What is "added" or "changed"), entries.Count(entry => entry.What == "removed"), entries.Count(entry => entry.What == "unchanged"));
            return new CronFileView(_path, [.. entries.OrderBy(entry => entry.Line ?? int.MaxValue)]);
        }
        finally
        {
            _one.Release();
        }
    }

    private async Task<CronFileEntryView> TakeAsync(CronFileJob job, CronView? known, CancellationToken cancellationToken)
    {
        try
        {
            if (known is { FromFile: false })
            {
                throw new MeshException(MeshErrors.CronExists, $"a schedule '{job.Name}' was added by hand", $"give the job another title, or remove the other: agentmesh cron rm {job.Name}");
            }

            CronView cron = await _crons.AddAsync(RequestOf(job), isFromFile: true, cancellationToken).ConfigureAwait(false);
            if (cron.Enabled != job.IsEnabled)
            {
                cron = await _crons.EnableAsync(job.Name, job.IsEnabled, cancellationToken).ConfigureAwait(false);
            }

            return new CronFileEntryView(job.Name, job.Line, known is null ? "added" : PartsOf(known).Equals(PartsOf(cron)) ? "unchanged" : "changed", null);
        }
        catch (MeshException wrong) when (wrong.Code is not (MeshErrors.NoAnswer or MeshErrors.NotStored))
        {
            return new CronFileEntryView(job.Name, job.Line, "problem", new ProblemView(wrong.Code, $"line {job.Line}, '{job.Title}': {wrong.Message}", wrong.NextStep));
        }
    }

    private static object PartsOf(CronView cron) => (cron.Schedule, cron.TimeZone, cron.Command, cron.Target, cron.Missed, cron.Overlap, cron.JitterMs, cron.Enabled, cron.TargetName, cron.PauseAfter, (cron.Resources, cron.Priority, cron.Group, cron.Notify, cron.NotifyOn));

    /// <summary>A line that begins with @ is meant for a device as at the prompt; anything else is for a shell, as cron has it.</summary>
    private static CronRequest RequestOf(CronFileJob job) => new(
        job.Name,
        job.Schedule,
        job.Zone,
        job.On,
        Line: job.Command.StartsWith('@') ? job.Command : null,
        Arguments: job.Command.StartsWith('@') ? null : ["sh", "-c", job.Command],
        job.Missed,
        job.Overlap,
        Replace: true,
        JitterMs: job.Jitter is { } jitter ? SpanOf(jitter).TotalMilliseconds : null,
        PauseAfter: job.PauseAfter,
        Resources: [.. job.Resources],
        Priority: job.Priority,
        Group: job.Group)
    {
        Notify = DeliverOf(job)?.Url,
        NotifyOn = DeliverOf(job)?.On,
    };

    private static (string Url, string? On)? DeliverOf(CronFileJob job) => job.Deliver?.Split(' ', StringSplitOptions.RemoveEmptyEntries) switch
    {
        null => null,
        [var url] => (url, null),
        [var url, var word, var on] when word.Equals("on", StringComparison.OrdinalIgnoreCase) => (url, on),
        _ => throw new MeshException(MeshErrors.BadNotifyUrl, $"**Deliver** is '{job.Deliver}'", "write a URL, or one with the runs of which it is told: https://example.org/hook on failure"),
    };

    private static TimeSpan SpanOf(string text)
    {
        try
        {
            return ConfigurationFactory.ParseString($"span = \"{text.Replace('"', ' ').Replace('\\', ' ')}\"").GetTimeSpan("span", null);
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            throw new MeshException(MeshErrors.BadJitter, $"'{text}' is no duration", "for example 30s, 10m or 2h", error);
        }
    }

    private string Read()
    {
        try
        {
            // A longer file is refused by the parser, at this length.
            using var reader = new StreamReader(_path, Encoding.UTF8);
            char[] text = new char[CronFile.CharsMax + 1];
            int length = reader.ReadBlock(text);
            return new string(text, 0, length);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new MeshException(MeshErrors.CronFile, $"{_path} cannot be read: {error.Message}", "write one there, or name another with agentmesh.cron.file", error);
        }
    }

    private string Applied()
    {
        try
        {
            return File.ReadAllText(_appliedPath).Trim();
        }
        catch (FileNotFoundException)
        {
            return "";
        }
    }

    private static string HashOf(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
