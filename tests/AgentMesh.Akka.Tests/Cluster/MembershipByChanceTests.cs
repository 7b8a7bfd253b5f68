using AgentMesh.EngineTests.Remote;
using Akka.Actor;
using Akka.Cluster;
using static AgentMesh.EngineTests.Cluster.MembershipTests;

namespace AgentMesh.EngineTests.Cluster;

/// <summary>Whatever happened to five members: when everything is well again, all agree that all are up.</summary>
public sealed class MembershipByChanceTests
{
    private static readonly string[] Hosts = ["a", "b", "c", "d", "e"];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task After_cuts_and_restarts_all_are_up_again(int seed)
    {
        await using var lab = new RemoteLab();
        var random = new Random(seed);
        Dictionary<string, ActorSystem> systems = (await Form(lab, Hosts)).Zip(Hosts).ToDictionary(pair => pair.Second, pair => pair.First);
        var silent = new HashSet<string>();
        var story = new List<string>();
        for (int step = 0; step < 8; step++)
        {
            string host = Hosts[random.Next(Hosts.Length)];
            switch (random.Next(4))
            {
                case 0 when silent.Add(host):
                    story.Add($"{host} falls silent");
                    lab.TransportOf(host).WriteBehavior.PushConstant(true);
                    break;
                case 1 when silent.Remove(host):
                    story.Add($"{host} speaks again");
                    lab.TransportOf(host).WriteBehavior.Pop();
                    break;
                case 2 when host != "a":
                    story.Add($"{host} is killed and started again");
                    silent.Remove(host);
                    await lab.Kill(systems[host], host);
                    systems[host] = lab.StartMember(host);
                    Of(systems[host]).JoinSeedNodes(Hosts.Where(each => each != host).Select(RemoteLab.AddressOf));
                    break;
                case 3 when host != "a":
                    story.Add($"{host} ends and is started again");
                    if (silent.Remove(host))
                        lab.TransportOf(host).WriteBehavior.Pop();
                    await systems[host].Terminate().WaitAsync(RemoteLab.Patience);
                    systems[host] = lab.StartMember(host);
                    Of(systems[host]).JoinSeedNodes(Hosts.Where(each => each != host).Select(RemoteLab.AddressOf));
                    break;
            }

            // A while in which what happened is noticed, or is not.
            await Task.Delay(random.Next(2) * random.Next(600));
        }

        foreach (string host in silent)
            lab.TransportOf(host).WriteBehavior.Pop();

        try
        {
            await Until(() => systems.Values.All(system => IsWell(Of(system).State)));
        }
        catch (OperationCanceledException)
        {
            Assert.Fail(string.Join('\n', story) + "\n" + string.Join('\n', systems.Select(each => $"{each.Key}: {string.Join(", ", Of(each.Value).State.Members)}; unreachable {string.Join(", ", Of(each.Value).State.Unreachable)}")));
        }

        Assert.Single(systems.Values.Select(system => string.Join(", ", Of(system).State.Members)).Distinct());
    }

    private static bool IsWell(ClusterEvent.CurrentClusterState state) =>
        state.Members.Count == Hosts.Length && state.Unreachable.IsEmpty && state.Members.All(member => member.Status == MemberStatus.Up);
}
