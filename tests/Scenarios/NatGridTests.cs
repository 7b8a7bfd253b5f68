using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Scenarios.Harness;
using Xunit.Abstractions;

namespace Scenarios;

/// <summary>
/// Ordered pairs of NATs of the kernel: data at once over the relay, directly within its bar, or relayed with its reason. A few pairs are run with everything else; all of
/// them with <c>AGENTMESH_NAT_GRID=all</c> (docs/nat.md).
/// </summary>
[Collection(Alone.Name)]
public sealed class NatGridTests(ITestOutputHelper output)
{
    private const string SameBox = "the same box", Ipv6Only = "ipv6-only";

    // What a machine that is busy with other things needs is not what is measured: the best of so many.
    private const int Rounds = 3;

    private static readonly TimeSpan DataBar = TimeSpan.FromSeconds(1.5);

    private static readonly string[] Kinds = ["none", "full-cone", "address-restricted", "port-restricted", "symmetric", "sequential", "double", "ipv6-and-symmetric", "ipv6-only"];

    private static readonly (string, string)[] Few =
    [
        ("port-restricted", "symmetric"), ("symmetric", "port-restricted"), ("sequential", "sequential"), ("port-restricted", "sequential"), ("sequential", "port-restricted"),
        ("address-restricted", "symmetric"), ("double", "port-restricted"), ("symmetric", "symmetric"), ("none", "port-restricted"), ("full-cone", "symmetric"),
        ("port-restricted", "port-restricted"), ("ipv6-and-symmetric", "symmetric"), ("symmetric", SameBox),
        ("ipv6-only", "port-restricted"), ("none", "ipv6-only"), ("ipv6-only", "ipv6-and-symmetric"), ("ipv6-only", "ipv6-only"),
    ];

    private static readonly (string, string)[] All = [.. Kinds.SelectMany(_ => Kinds, (left, right) => (left, right)), ("port-restricted", SameBox), ("symmetric", SameBox)];

    [SkippableFact]
    public async Task Every_pair_of_NATs_meets_its_bar()
    {
        using (NatLab? probe = NatLab.TryBuild(out string whyNot))
        {
            Skip.If(probe is null, $"a network with NATs cannot be made here: {whyNot}");
        }

        var pairs = new ConcurrentQueue<(string, string)>(Environment.GetEnvironmentVariable("AGENTMESH_NAT_GRID") == "all" ? All : Few);
        var rows = new ConcurrentBag<Row>();
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, Math.Min(3, pairs.Count)).Select(_ => Task.Run(() => WorkAsync(pairs, rows))));

        output.WriteLine(Table([.. rows.OrderBy(row => Array.IndexOf(Kinds, row.Left)).ThenBy(row => Array.IndexOf(Kinds, row.Right))]));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{rows.Count} pairs in {watch.Elapsed.TotalSeconds:0} s; load of this machine: {Load()}"));
        Assert.Empty(rows.Where(row => row.Problem.Length > 0).Select(row => $"{row.Left} x {row.Right}: {row.Problem}"));
    }

    private static string Load() => File.Exists("/proc/loadavg") ? File.ReadAllText("/proc/loadavg").Split(' ')[0] : "unknown";

    private static async Task WorkAsync(ConcurrentQueue<(string Left, string Right)> pairs, ConcurrentBag<Row> rows)
    {
        using NatLab lab = NatLab.TryBuild(out string whyNot) ?? throw new InvalidOperationException(whyNot);
        await using Meeting meeting = await Meeting.PairedAsync("0.0.0.0 ::", lab);
        int homes = 0;
        while (pairs.TryDequeue(out (string Left, string Right) pair))
        {
            Row row;
            int round = 0;
            do
            {
                string number = (++homes).ToString(CultureInfo.InvariantCulture), left = Home(lab, $"a{number}", pair.Left);
                await meeting.GoHomeAsync(left, pair.Right == SameBox ? lab.Neighbour(left, $"b{number}") : Home(lab, $"b{number}", pair.Right));
                row = await RowOfAsync(meeting, pair.Left, pair.Right);
                await meeting.LeaveAsync();
            }
            while (row.Problem.Length > 0 && ++round < Rounds);
            rows.Add(row with { Rounds = round + 1 });
        }
    }

    private static async Task<Row> RowOfAsync(Meeting meeting, string left, string right)
    {
        TimeSpan? bar = BarOf(left, right);
        string why = HasIpv4Only(left) != HasIpv4Only(right) && (left == Ipv6Only || right == Ipv6Only) ? "no-common-family" : "hard-nats";
        string answer = (await meeting.A.RunAsync("--timeout", "30s", "@b", "calc", "1+2")).Out;
        string code = "";
        try
        {
            await (bar is null
                ? Eventually.HoldsAsync(async () => (code = (await Meeting.PeerOf(meeting.A)).RelayedCode ?? "") == why, "the path stays relayed", TimeSpan.FromMinutes(1))
                : meeting.IsDirectAsync());

            // A node that guesses ports looks ten times a second whether it still has to, and says only then what it found.
            await Eventually.HoldsAsync(() => Task.FromResult(bar is null || meeting.Times().Direct is not null), "both have said so in their logs");
        }
        catch (Xunit.Sdk.XunitException)
        {
            // The row says it.
        }

        string path = (await Meeting.PeerOf(meeting.A)).Path ?? "none";
        (TimeSpan? data, TimeSpan? direct) = meeting.Times();
        var problem = new List<string>();
        if (answer != "3\n")
        {
            problem.Add($"the answer to a command was \"{answer.Trim()}\"");
        }

        if (bar is null ? direct is not null || code != why : direct is null)
        {
            problem.Add(bar is null ? $"it should stay relayed and say so, but is {path} ({code})" : $"it never became direct: {(await Meeting.PeerOf(meeting.A)).RelayedReason}");
        }

        string seen = await SurveyAsync(meeting.A, left) + await SurveyAsync(meeting.B, right == SameBox ? left : right);
        if (seen.Length > 0)
        {
            problem.Add(seen);
        }

        if (data is null || data > DataBar)
        {
            problem.Add($"data after {data?.TotalSeconds:0.0} s instead of {DataBar.TotalSeconds:0.0} s");
        }

        if (direct > bar)
        {
            problem.Add($"direct after {direct?.TotalSeconds:0.0} s instead of {bar?.TotalSeconds:0} s");
        }

        return new Row(left, right, data, direct, path, bar, string.Join("; ", problem), 1);
    }

    /// <returns>What the survey of a NAT found out and should not have; empty when it is right.</returns>
    private static async Task<string> SurveyAsync(TestNode node, string kind)
    {
        string wanted = kind switch
        {
            "none" => "none, by-address",
            "full-cone" or "address-restricted" => "independent, by-address",
            "port-restricted" or "double" => "independent, by-port",
            Ipv6Only => "nothing", // there is no NAT to survey
            "sequential" => "sequential, by-port",
            _ => "random, by-port",
        };
        string found = "";
        try
        {
            await Eventually.HoldsAsync(async () => (found = (await node.StatusAsync()).Nat is { } nat ? $"{nat.Kind}, {nat.Filtering}" : "nothing") == wanted, "the NAT is known", TimeSpan.FromMinutes(1));
            return "";
        }
        catch (Xunit.Sdk.XunitException)
        {
            return $"the NAT of {node.Name} is said to be: {found}; ";
        }
    }

    private static string Home(NatLab lab, string name, string kind)
    {
        switch (kind)
        {
            case "double":
                return lab.Home(name, NatKind.PortRestrictedCone(), carrier: NatKind.PortRestrictedCone());
            case Ipv6Only:
                return lab.HomeOfIpv6(name);
            case "ipv6-and-symmetric":
                string home = lab.Home(name, NatKind.Symmetric());
                lab.GiveIpv6(home);
                return home;
            default:
                return lab.Home(name, kind switch
                {
                    "none" => null,
                    "full-cone" => NatKind.FullCone(),
                    "address-restricted" => NatKind.AddressRestrictedCone(),
                    "port-restricted" => NatKind.PortRestrictedCone(),
                    "sequential" => NatKind.SymmetricInSteps(),
                    _ => NatKind.Symmetric(),
                });
        }
    }

    private static bool HasIpv4Only(string kind) => !kind.StartsWith("ipv6", StringComparison.Ordinal);

    /// <returns>Null where the path stays relayed.</returns>
    private static TimeSpan? BarOf(string left, string right)
    {
        if (!HasIpv4Only(left) && !HasIpv4Only(right))
        {
            return TimeSpan.FromSeconds(5); // directly over IPv6
        }

        if (left == Ipv6Only || right == Ipv6Only)
        {
            return null;
        }

        if (right == SameBox)
        {
            return TimeSpan.FromSeconds(5); // directly in their own network
        }

        bool leftRandom = left.EndsWith("symmetric", StringComparison.Ordinal), rightRandom = right.EndsWith("symmetric", StringComparison.Ordinal);
        bool leftHard = leftRandom || left == "sequential", rightHard = rightRandom || right == "sequential";
        if (leftHard && rightHard)
        {
            return leftRandom || rightRandom ? null : TimeSpan.FromSeconds(8);
        }

        bool isRestricted = (leftHard ? right : left) is "port-restricted" or "double";
        return TimeSpan.FromSeconds((leftHard || rightHard) && isRestricted ? leftRandom || rightRandom ? 20 : 8 : 5);
    }

    private static string Table(IReadOnlyList<Row> rows)
    {
        var table = new StringBuilder("one                 the other              data    direct   bar  path\n");
        foreach (Row row in rows)
        {
            table.AppendLine(string.Create(CultureInfo.InvariantCulture,
                $"{row.Left,-19} {row.Right,-19} {Seconds(row.Data),7} {Seconds(row.Direct),9} {row.Bar?.TotalSeconds.ToString("0", CultureInfo.InvariantCulture) ?? "-",5}  {row.Path}{(row.Rounds > 1 ? $", the last of {row.Rounds} rounds" : "")}{(row.Problem.Length > 0 ? "  <- " + row.Problem : "")}"));
        }

        return table.ToString();
    }

    private static string Seconds(TimeSpan? time) => time is { } known ? known.TotalSeconds.ToString("0.00 s", CultureInfo.InvariantCulture) : "-";

    private sealed record Row(string Left, string Right, TimeSpan? Data, TimeSpan? Direct, string Path, TimeSpan? Bar, string Problem, int Rounds);
}
