using System.CommandLine;
using System.Globalization;
using AgentMesh.Cli.Client;
using AgentMesh.Cli.Output;
using AgentMesh.Errors;
using AgentMesh.Mesh.Arrays;
using AgentMesh.Node.Control;
using ArrayView = AgentMesh.Node.Control.ArrayView;

namespace AgentMesh.Cli.Verbs;

/// <summary>The verb <c>watch</c>: how jobs go, as they go.</summary>
internal static class WatchVerb
{
    /// <summary>Of all jobs, those among so many that are not over, or were not when it began.</summary>
    private const int LookedAt = 200;

    private static readonly TimeSpan EveryMin = TimeSpan.FromMilliseconds(200);

    public static Command Create(GlobalOptions global)
    {
        var ids = new Argument<string[]>("JOB") { Description = "Jobs or arrays; every one of this device that is not over when absent.", Arity = new ArgumentArity(0, 50) };
        var every = new Option<TimeSpan?>("--every") { Description = "How often to look (default 1s, at least 200ms).", CustomParser = Durations.Parse };
        return global.Verb("watch", "Show how jobs go, as they go: a panel on a terminal, a line for each change otherwise. With JOBs it ends when they have.", [ids, every], async (session, parsed, cancel) =>
        {
            string[] wanted = parsed.GetValue(ids) ?? [];
            TimeSpan pause = parsed.GetValue(every) ?? TimeSpan.FromSeconds(1);
            if (pause < EveryMin)
            {
                throw new MeshException(CliErrors.Usage, $"--every {pause.TotalMilliseconds.ToString(CultureInfo.InvariantCulture)}ms is too often", "200ms is the least");
            }

            using ControlClient client = session.Connect();
            try
            {
                return await new Watch(session, client, wanted, pause).RunAsync(cancel).ConfigureAwait(false);
            }
            finally
            {
                // Whatever ended it is said below the panel, or where the panel was.
                LiveLines.OnStderr.Erase();
            }
        });
    }

    private sealed class Watch(Session session, ControlClient client, string[] wanted, TimeSpan pause)
    {
        private readonly bool _isLive = session.Terminal.Live is not null && !Console.IsOutputRedirected;
        private readonly Dictionary<string, string> _told = new(StringComparer.Ordinal);
        private readonly HashSet<string> _seen = new(StringComparer.Ordinal);

        /// <returns>0 when every named job completed, 1 when one did not.</returns>
        public async Task<int> RunAsync(CancellationToken cancel)
        {
            long begun = TimeProvider.System.GetTimestamp();
            while (true)
            {
                IReadOnlyList<WatchedJob> jobs = await LookAsync(cancel).ConfigureAwait(false);
                Show(jobs);
                if (wanted.Length > 0 && jobs.All(job => job.IsAtRest))
                {
                    Finish(jobs);
                    return jobs.All(job => job.State == "completed") ? 0 : 1;
                }

                if (session.Timeout is { } limit && TimeProvider.System.GetElapsedTime(begun) >= limit)
                {
                    Finish(jobs);
                    return CommandRun.MeshFailure;
                }

                await Task.Delay(pause, TimeProvider.System, cancel).ConfigureAwait(false);
            }
        }

        private async Task<IReadOnlyList<WatchedJob>> LookAsync(CancellationToken cancel)
        {
            if (wanted.Length > 0)
            {
                return await Task.WhenAll(wanted.Select(id => LookAsync(id, cancel))).ConfigureAwait(false);
            }

            JobPage page = await client.GetAsync($"v1/jobs?limit={LookedAt}", ControlJson.Default.JobPage, cancel).ConfigureAwait(false);
            WatchedJob[] all = [.. page.Jobs.Select(WatchedJob.Of).Concat(page.Arrays.Select(WatchedJob.Of))];
            _seen.UnionWith(all.Where(job => !job.IsAtRest).Select(job => job.Id));
            return [.. all.Where(job => _seen.Contains(job.Id)).OrderBy(job => job.IsAtRest).ThenBy(job => job.CreatedAt)];
        }

        private async Task<WatchedJob> LookAsync(string id, CancellationToken cancel)
        {
            string query = Uri.EscapeDataString(id);
            return ArrayName.TryRead(id) is { Element: null }
                ? WatchedJob.Of(await client.GetAsync($"v1/array?id={query}", ControlJson.Default.ArrayView, cancel).ConfigureAwait(false))
                : WatchedJob.Of(await client.GetAsync($"v1/job?id={query}", ControlJson.Default.JobView, cancel).ConfigureAwait(false));
        }

        private void Show(IReadOnlyList<WatchedJob> jobs)
        {
            if (_isLive)
            {
                LiveLines.OnStderr.Draw(jobs.Count == 0 ? ["no job is under way"] : WatchedJob.Panel(jobs, TimeProvider.System.GetUtcNow()));
                return;
            }

            foreach (WatchedJob job in jobs)
            {
                string line = string.Join(' ', ((string[])[job.ShortId, job.State, job.Bar, job.Words]).Where(part => part.Length > 0));
                if (!_told.TryGetValue(job.Id, out string? told) || told != line)
                {
                    _told[job.Id] = line;
                    session.Terminal.Answer(job, WatchJson.Default.WatchedJob, line);
                }
            }
        }

        private void Finish(IReadOnlyList<WatchedJob> jobs)
        {
            if (_isLive)
            {
                LiveLines.OnStderr.Erase();
                foreach (string line in WatchedJob.Panel(jobs, TimeProvider.System.GetUtcNow()))
                {
                    session.Terminal.Out.WriteLine(line);
                }
            }
        }
    }
}
