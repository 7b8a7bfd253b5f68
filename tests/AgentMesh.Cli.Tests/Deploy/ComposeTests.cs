using System.CommandLine;
using System.Text.Json;
using AgentMesh.Cli.Verbs;
using AgentMesh.Node.Settings;
using YamlDotNet.Serialization;

namespace AgentMesh.Cli.Tests.Deploy;

/// <summary>The files in deploy/ that start nodes in containers, as far as they can be checked without a container engine.</summary>
public sealed class ComposeTests
{
    private static readonly string ComposeFile = Path.Combine(DeployFiles.Root, "deploy", "compose", "pool.yaml");

    [Fact]
    public void Members_wait_for_the_database_and_keep_their_data()
    {
        Dictionary<object, object> file = Read();
        var services = (Dictionary<object, object>)file["services"];
        Assert.Equal(["database", "first", "second"], services.Keys.Cast<string>().Order(StringComparer.Ordinal));
        var volumes = ((Dictionary<object, object>)file["volumes"]).Keys.Cast<string>().ToHashSet();
        foreach ((string name, Dictionary<object, object> service) in Services(services))
        {
            foreach (string volume in ((List<object>)service["volumes"]).Cast<string>())
            {
                string source = volume.Split(':')[0];
                Assert.True(source.StartsWith('.') ? Path.Exists(Path.Combine(Path.GetDirectoryName(ComposeFile)!, source)) : volumes.Contains(source), $"{name}: {volume}");
            }
        }

        Assert.All(Members(services), member => Assert.Equal("service_healthy", Value<string>(member.Service, "depends_on", "database", "condition")));
        Assert.All(Members(services), member => Assert.True(File.Exists(Path.Combine(DeployFiles.Root, Value<string>(member.Service, "build", "dockerfile")))));
    }

    [Fact]
    public void Each_command_line_is_one_of_this_program()
    {
        var services = (Dictionary<object, object>)Read()["services"];
        var ports = new HashSet<string>();
        foreach ((string name, Dictionary<object, object> member) in Members(services))
        {
            string[] command = [.. ((List<object>)member["command"]).Cast<string>()];
            ParseResult parsed = DeployFiles.Parse(command);
            Assert.True(parsed.Errors.Count == 0 && parsed.UnmatchedTokens.Count == 0, $"{name}: {string.Join("; ", parsed.Errors)}");
            Assert.Equal("up", parsed.CommandResult.Command.Name);
            string port = command[Array.IndexOf(command, "--port") + 1];
            Assert.Equal($"{port}:{port}/udp", Assert.Single((List<object>)member["ports"]));
            Assert.True(ports.Add(port));
            string[] health = [.. ((List<object>)((Dictionary<object, object>)member["healthcheck"])["test"]).Cast<string>()];
            Assert.Equal(["CMD", .. EntryPoint("node.Containerfile", "ENTRYPOINT")], health[..3]);
            Assert.Empty(DeployFiles.Parse(health[3..]).Errors);
        }

        Assert.Empty(DeployFiles.Parse(EntryPoint("node.Containerfile", "CMD")).Errors);
        string[] beacon = EntryPoint("beacon.Containerfile", "ENTRYPOINT");
        Assert.Empty(DeployFiles.Parse(beacon[2..]).Errors);
        Assert.NotEmpty(DeployFiles.Parse(["up", "--prt", "1"]).Errors);
    }

    [Fact]
    public void The_profile_that_members_load_makes_them_one_pool_with_the_database_of_their_environment()
    {
        var services = (Dictionary<object, object>)Read()["services"];
        foreach ((_, Dictionary<object, object> member) in Members(services))
        {
            var environment = (Dictionary<object, object>)member["environment"];
            string[] command = [.. ((List<object>)member["command"]).Cast<string>()];
            string inside = command[Array.IndexOf(command, "--config") + 1];
            string mounted = ((List<object>)member["volumes"]).Cast<string>().Single(volume => volume.EndsWith($":{inside}:ro", StringComparison.Ordinal)).Split(':')[0];
            string data = Directory.CreateTempSubdirectory("am-compose-").FullName;
            try
            {
                NodeSettings settings = SettingsLoader.Load(new SettingsSource(Path.Combine(Path.GetDirectoryName(ComposeFile)!, mounted), data, new Dictionary<string, string>(), _ => null));
                Assert.Equal(("lab", "", true), (settings.Pool!.Name, settings.Pool.ConnectionFile, environment.ContainsKey(settings.Pool.ConnectionVariable)));
                string connection = (string)environment[settings.Pool.ConnectionVariable];
                Assert.StartsWith("Host=database;", connection, StringComparison.Ordinal);
                var database = (Dictionary<object, object>)((Dictionary<object, object>)services["database"])["environment"];
                Assert.Contains($"Database={database["POSTGRES_DB"]};Username={database["POSTGRES_USER"]};Password={database["POSTGRES_PASSWORD"]}", connection, StringComparison.Ordinal);
            }
            finally
            {
                Directory.Delete(data, recursive: true);
            }
        }
    }

    private static string[] EntryPoint(string file, string instruction) => JsonSerializer.Deserialize<string[]>(
        File.ReadLines(Path.Combine(DeployFiles.Root, "deploy", "container", file)).Single(line => line.StartsWith(instruction + " [", StringComparison.Ordinal))[(instruction.Length + 1)..])!;

    private static Dictionary<object, object> Read()
    {
        using var text = new StreamReader(ComposeFile);
        var parser = new YamlDotNet.Core.MergingParser(new YamlDotNet.Core.Parser(text));
        return (Dictionary<object, object>)new DeserializerBuilder().Build().Deserialize(parser)!;
    }

    private static IEnumerable<(string Name, Dictionary<object, object> Service)> Services(Dictionary<object, object> services) =>
        services.Select(each => ((string)each.Key, (Dictionary<object, object>)each.Value));

    private static IEnumerable<(string Name, Dictionary<object, object> Service)> Members(Dictionary<object, object> services) => Services(services).Where(each => each.Name != "database");

    private static T Value<T>(Dictionary<object, object> from, params string[] path) =>
        (T)path.Aggregate((object)from, (at, key) => ((Dictionary<object, object>)at)[key]);
}
