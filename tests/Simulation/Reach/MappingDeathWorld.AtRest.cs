using System.Net;
using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Punching;
using AgentMesh.Protocol.Tests.Connections;
using AgentMesh.Protocol.Tests.Punching;
using Simulation.Running;

namespace Simulation.Reach;

/// <content>
/// Two devices of a mesh with nothing to do, as they are set up: their links speak every 2 s, so that no port is ever silent and their connection learns nothing of silence. A search beside it finds after how much silence ports
/// end, and connections that are left alone for longer than by default keep theirs with it. In half of the worlds ports end at an age too: that the connection learns by itself.
/// </content>
internal sealed partial class MappingDeathWorld
{
    private const string Found = "end after silence found, s beyond the silence itself";
    private const string AtRest = "first bytes after ten minutes of rest, s";
    private const string KnownAtRest = "age at which ports end known, in lives";
    private const string LossAtRest = "delay at rest once that is known, s";

    // As nodes have it: link.keepalive and link.refresh.
    private static readonly TimeSpan Refresh = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan Never = TimeSpan.FromDays(1);

    private static Bar[] BarsAtRest => [Bar.Within(Found, Seconds(12)), Bar.Within(AtRest, Seconds(0.5)), Bar.AtMost(KnownAtRest, 2.2), Bar.Within(LossAtRest, Seconds(0.5))];

    private void RestAndLearn()
    {
        TimeSpan silence = (Seed % 4) switch { 0 => Seconds(30), 1 => Seconds(60), 2 => Seconds(180), _ => Between(Seconds(10), Seconds(290)) };
        TimeSpan age = Chance(0.5) ? Between(Seconds(60), Seconds(150)) : Never;
        Note($"at rest: ports end after {silence} of silence, at {age}");
        PortLife found = LearnAtRest(silence, age);
        if (age == Never)
        {
            UseAtRest(silence, found.SilenceMax!.Value);
        }
    }

    private PortLife LearnAtRest(TimeSpan silence, TimeSpan age)
    {
        var nat = new ShortNat(silence, age, Random);
        TimeSpan delay = Seconds(0.005 + (0.06 * Random.NextDouble()));
        using var pair = new WaysPair(Seed, new ConnectionSettings { KeepAlive = Refresh }, new Way("203.0.113.1:1", "192.0.2.2:5000", delay.TotalMilliseconds) { Nat = nat });
        var search = new PortLifeLab(nat, delay, 0.01, Random, pair.Now);
        (TimeSpan start, TimeSpan? knownAt, TimeSpan slowest, long said) = (pair.Now, null, TimeSpan.Zero, 0);
        while (pair.Now - start < Seconds(600))
        {
            TimeSpan spoke = pair.Now;
            said += 200;
            pair.A.Write(200);
            pair.B.Write(200);
            TimeSpan took = pair.Until(() => pair.A.Received == said && pair.B.Received == said, Refresh) ?? Refresh;
            slowest = knownAt is not null && took > slowest ? took : slowest;
            pair.Run(spoke + Refresh - pair.Now);
            search.RunTo(pair.Now);
            knownAt ??= pair.A.Connection.Mapping.Absolute is null ? null : pair.Now - start;
        }

        Require(pair.A.Connection.Mapping.Idle is null, $"a connection that always speaks has lost a port after silence of {pair.A.Connection.Mapping.Idle}");
        Require(search.Search.IsOver && search.Questions <= PortLifeSearch.QuestionsMax, $"not over, or {search.Questions} questions");
        if (age != Never)
        {
            Measure(KnownAtRest, knownAt is { } at ? at / age : double.PositiveInfinity);
            Measure(LossAtRest, slowest);
        }

        // A port that was silent for so long is 3 s older.
        TimeSpan end = age - PortLifeSearch.SettleTime < silence ? age - PortLifeSearch.SettleTime : silence;
        PortLife life = search.Search.Result;
        Require(life is { Lives: { } lives, Dies: { } dies } && lives <= end + Seconds(0.5) && dies >= end && dies < end * 1.8, $"{life} where ports end after {end}");
        Measure(Found, search.KnownAfter!.Value - life.Dies!.Value);
        Steps += pair.Datagrams + search.Questions;
        return life;
    }

    /// <summary>The owner has set a keepalive of ten minutes.</summary>
    private void UseAtRest(TimeSpan silence, TimeSpan silenceMax)
    {
        var nat = new ShortNat(silence, Never, Random);
        using var pair = new WaysPair(Seed, new ConnectionSettings { KeepAlive = Seconds(600) }, new Way("203.0.113.1:1", "192.0.2.2:5000", 5 + Random.Next(60)) { Nat = nat });
        pair.A.Connection.Mapping.NetworkIdle = silenceMax;
        pair.A.Write(1_000);
        pair.B.Write(1_000);
        pair.Run(1);
        (IPEndPoint? port, long before) = (pair.A.Connection.Mapping.Seen, pair.Datagrams);
        pair.Run(599);
        long exchanges = (long)(599 / (silenceMax.TotalSeconds * 3 / 4)) + 1;
        Require(pair.Datagrams - before <= 4 + (3 * exchanges), $"{pair.Datagrams - before} datagrams at rest, {exchanges} questions were due");
        Require(Equals(port, pair.A.Connection.Mapping.Seen), "another port, though it was known how long it may be silent");
        pair.B.Write(1_000);
        Measure(AtRest, pair.Until(() => pair.A.Received == 2_000, Seconds(5)));
        Steps += pair.Datagrams;
    }
}
