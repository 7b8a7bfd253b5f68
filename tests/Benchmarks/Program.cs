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
if (args.FirstOrDefault(part => !all.Any(each => each.Name == part)) is { } unknown)
{
    await Console.Error.WriteLineAsync($"'{unknown}' is no part: name some of {string.Join(", ", all.Select(each => each.Name))}, or none for all");
    return 2;
}

var report = new Report(Console.Out);
report.Machine();
foreach ((string name, Func<Report, Task> run) in all)
{
    if (args.Length == 0 || args.Contains(name, StringComparer.Ordinal))
    {
        await run(report);
    }
}

return 0;
