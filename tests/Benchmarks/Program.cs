using System.Globalization;
using Benchmarks;

// Every figure stands beside a peer that is measured in the same run on the same machine.
CultureInfo.DefaultThreadCurrentCulture = CultureInfo.InvariantCulture;
CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
(string Name, Func<Report, Task> Run)[] all =
[
    ("transport", TransportBenchmark.RunAsync),
    ("sessions", SessionBenchmark.RunAsync),
    ("actors", ActorBenchmark.RunAsync),
    ("commands", CommandBenchmark.RunAsync),
    ("tasks", TaskBenchmark.RunAsync),
    ("output", OutputBenchmark.RunAsync),
    ("journal", JournalBenchmark.RunAsync),
];
var report = new Report(Console.Out);
report.Machine();
string[] chosen = [.. args.Where(name => !name.StartsWith('-'))];
foreach ((string name, Func<Report, Task> run) in all)
{
    if (chosen.Length == 0 || chosen.Contains(name, StringComparer.Ordinal))
    {
        await run(report);
    }
}

return 0;
