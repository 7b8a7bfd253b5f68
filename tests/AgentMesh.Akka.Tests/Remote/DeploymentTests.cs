using Akka.Actor;
using Akka.Configuration;

namespace AgentMesh.EngineTests.Remote;

public sealed class DeploymentTests
{
    private static readonly TimeSpan Patience = RemoteLab.Patience;

    [Fact]
    public async Task Deployment_on_another_system_is_refused()
    {
        await using var lab = new RemoteLab();
        ActorSystem a = lab.Start("a", "akka.actor.deployment { /there { remote = \"akka.test://lab@b:1\" }, /here { stash-capacity = 5 } }");

        var refused = Assert.Throws<ConfigurationException>(() => a.ActorOf<EchoActor>("there"));
        Assert.Throws<ConfigurationException>(() => a.ActorOf(OnHost("b")));

        Assert.Contains("no remote deployment. Start the actor in that system", refused.Message, StringComparison.Ordinal);
        Assert.Equal("x", await a.ActorOf<EchoActor>("here").Ask<string>("x", Patience));
    }

    [Fact]
    public async Task Deployment_on_the_system_itself_is_an_ordinary_start()
    {
        await using var lab = new RemoteLab();

        Assert.Equal("x", await lab.Start("a").ActorOf(OnHost("a")).Ask<string>("x", Patience));
    }

    [Fact]
    public async Task Deployment_on_another_system_is_refused_without_remoting_too()
    {
        using ActorSystem system = ActorSystem.Create("alone");

        Assert.Throws<ConfigurationException>(() => system.ActorOf(OnHost("b")));
        await system.Terminate().WaitAsync(Patience);
    }

    [Fact]
    public async Task A_router_in_the_configuration_is_refused()
    {
        await using var lab = new RemoteLab();
        ActorSystem a = lab.Start("a", "akka.actor.deployment { /many { router = round-robin-pool, nr-of-instances = 5 } }");

        Assert.Contains("no routers", Assert.Throws<ConfigurationException>(() => a.ActorOf<EchoActor>("many")).Message, StringComparison.Ordinal);
    }

    private static Props OnHost(string host) => Props.Create<EchoActor>().WithDeploy(new Deploy(new RemoteScope(RemoteLab.AddressOf(host))));
}
