using Akka.Configuration;

namespace Akka.Actor;

/// <summary>The section <c>akka.actor.deployment</c>: what is decided for actors by their path below /user.</summary>
public class Deployer
{
    protected readonly Config Default;

    private readonly object _gate = new();
    private List<(string[] Pattern, Deploy Deploy)> _deployments = [];

    public Deployer(Settings settings)
    {
        Config section = settings.Config.GetConfig("akka.actor.deployment") ?? Config.Empty;
        Default = section.GetConfig("default") ?? Config.Empty;
        foreach (string key in section.AsEnumerable().Select(entry => entry.Key).ToArray())
        {
            if (key == "default")
                continue;
            Deploy deploy = ParseConfig(key, (section.GetConfig($"\"{key}\"") ?? Config.Empty).WithFallback(Default));
            if (deploy is not null)
                SetDeploy(deploy);
        }
    }

    /// <returns>What is decided for the actor; null when nothing is.</returns>
    public Deploy Lookup(ActorPath path) =>
        path.Depth < 2 || path.Elements[0] != "user" ? null! : Lookup(path.Elements.Skip(1));

    /// <param name="path">Names below /user.</param>
    public Deploy Lookup(IEnumerable<string> path)
    {
        List<(string[] Pattern, Deploy Deploy)> deployments = _deployments;
        if (deployments.Count == 0)
            return null!;
        string[] names = path.ToArray();
        foreach ((string[] pattern, Deploy deploy) in deployments)
        {
            if (Matches(pattern, names))
                return deploy;
        }

        return null!;
    }

    public void SetDeploy(Deploy deploy)
    {
        string[] pattern = deploy.Path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        foreach (string name in pattern)
        {
            if (name is not ("*" or "**") && !ActorPath.IsValidPathElement(name))
                throw new IllegalActorNameException($"'{name}' in the deployment '{deploy.Path}' cannot be the name of an actor");
        }

        lock (_gate)
        {
            // Exact paths first, then those whose wildcard comes late: the most specific rule wins.
            _deployments = [.. _deployments.Append((pattern, deploy)).OrderBy(d => d.Item1.Count(n => n is "*")).ThenBy(d => d.Item1.Contains("**"))];
        }
    }

    public virtual Deploy ParseConfig(string key, Config config)
    {
        string dispatcher = config.GetString("dispatcher", string.Empty);
        string mailbox = config.GetString("mailbox", string.Empty);
        Deploy deploy = Deploy.None.WithConfig(key, config);
        if (dispatcher.Length > 0)
            deploy = deploy.WithDispatcher(dispatcher);
        if (mailbox.Length > 0)
            deploy = deploy.WithMailbox(mailbox);
        string remote = config.GetString("remote", string.Empty);
        if (remote.Length > 0)
            deploy = deploy.WithScope(new RemoteScope(ParseAddress(key, remote)));
        int stash = config.GetInt("stash-capacity", Deploy.NoStashSize);
        return stash > 0 ? deploy.WithStashCapacity(stash) : deploy;
    }

    private static Address ParseAddress(string key, string remote) =>
        Address.TryParse(remote, out Address? address) ? address : throw new ConfigurationException($"akka.actor.deployment of '{key}': remote = \"{remote}\" is not the address of a system");

    private static bool Matches(string[] pattern, string[] names)
    {
        for (int i = 0; i < pattern.Length; i++)
        {
            if (pattern[i] == "**")
                return true;
            if (i >= names.Length || (pattern[i] != "*" && pattern[i] != names[i]))
                return false;
        }

        return pattern.Length == names.Length;
    }
}
