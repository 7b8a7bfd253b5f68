using System.CommandLine;
using System.Globalization;
using AgentMesh.Errors;
using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Verbs;

/// <summary>artifact list, get, put, rm.</summary>
internal static class ArtifactVerbs
{
    private const string SearchedIn = "Look in this home only: a pool, or device. Without it, in both.";

    public static Command All(GlobalOptions global) => new("artifact", "Files that jobs of this device or of its pool left behind (docs/artifacts.md).") { List(global), Get(global), Put(global), Remove(global) };

    private static Command List(GlobalOptions global)
    {
        var job = new Option<string?>("--job") { Description = "Only those of this job." };
        var limit = new Option<int>("--limit") { Description = "At most this many, the newest first.", DefaultValueFactory = _ => 100 };
        Option<string?> home = NewHome("Those of this home: a pool, or device. Without it, where jobs go that name none.");
        return global.Verb("list", "List artifacts, the newest first.", [job, home, limit], async (session, parsed, cancel) =>
        {
            using var client = session.Connect();
            string query = string.Create(CultureInfo.InvariantCulture, $"limit={Math.Max(1, parsed.GetValue(limit))}") + (parsed.GetValue(job) is { } wanted ? $"&job={Uri.EscapeDataString(wanted)}" : "") + HomeOf(parsed, home);
            IReadOnlyList<ArtifactView> found = await client.GetAsync($"v1/artifacts?{query}", ControlJson.Default.IReadOnlyListArtifactView, cancel).ConfigureAwait(false);
            if (session.Terminal.Json)
            {
                session.Terminal.PrintJson(found, ControlJson.Default.IReadOnlyListArtifactView);
                return 0;
            }

            DateTimeOffset now = TimeProvider.System.GetUtcNow();
            session.Terminal.Table(
                ["ARTIFACT", "SIZE", "AGE", "CONTENT"],
                found.Select(artifact => (IReadOnlyList<string>)[NameOf(artifact), artifact.Size.ToString(CultureInfo.InvariantCulture), Durations.Age(now - artifact.At), artifact.Hash]));
            return 0;
        });
    }

    private static Command Get(GlobalOptions global)
    {
        Argument<string> id = NewId();
        var output = new Option<string?>("--output", "-o") { Description = "The file to write; without it, the name of the artifact in this directory. - is standard output." };
        Option<string?> home = NewHome(SearchedIn);
        return global.Verb("get", "Write the content of an artifact to a file.", [id, output, home], async (session, parsed, cancel) =>
        {
            string wanted = parsed.GetValue(id)!;
            string path = parsed.GetValue(output) ?? wanted[(wanted.LastIndexOf('/') + 1)..].Replace(':', '-');
            string query = $"v1/artifact/content?id={Uri.EscapeDataString(wanted)}{HomeOf(parsed, home)}";
            using var client = session.Connect();
            if (path == "-")
            {
                using Stream raw = Console.OpenStandardOutput();
                await client.DownloadAsync(query, raw, cancel).ConfigureAwait(false);
                return 0;
            }

            string fresh = path + ".part";
            try
            {
                FileStream file = File.Create(fresh);
                await using (file.ConfigureAwait(false))
                {
                    await client.DownloadAsync(query, file, cancel).ConfigureAwait(false);
                }

                File.Move(fresh, path, overwrite: true);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                throw new MeshException(CliErrors.Usage, $"{path} cannot be written: {error.Message}", "name another file with --output", error);
            }
            finally
            {
                if (File.Exists(fresh))
                {
                    File.Delete(fresh);
                }
            }

            session.Terminal.Hint($"{path}: {new FileInfo(path).Length} bytes");
            return 0;
        });
    }

    private static Command Put(GlobalOptions global)
    {
        var file = new Argument<string>("FILE") { Description = "- reads standard input." };
        var name = new Option<string?>("--name") { Description = "What it is called; the name of the file without it." };
        Option<string?> home = NewHome("Into the store of this home: a pool, or device. Without it, where jobs go that name none.");
        return global.Verb("put", "Put a file into the store of this device or of its pool, for jobs to take.", [file, name, home], async (session, parsed, cancel) =>
        {
            string path = parsed.GetValue(file)!;
            string called = parsed.GetValue(name) ?? (path == "-" ? throw new MeshException(CliErrors.Usage, "standard input has no name", "add --name NAME") : Path.GetFileName(path));
            using var client = session.Connect();
            ArtifactView stored;
            try
            {
                Stream content = path == "-" ? Console.OpenStandardInput() : File.OpenRead(path);
                await using (content.ConfigureAwait(false))
                {
                    stored = await client.UploadAsync($"v1/artifact/content?name={Uri.EscapeDataString(called)}{HomeOf(parsed, home)}", content, ControlJson.Default.ArtifactView, cancel).ConfigureAwait(false);
                }
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                throw new MeshException(CliErrors.Usage, $"{path} cannot be read: {error.Message}", "name a file", error);
            }

            session.Terminal.Answer(stored, ControlJson.Default.ArtifactView, $"{stored.Name} {stored.Hash}");
            return 0;
        });
    }

    private static Command Remove(GlobalOptions global)
    {
        Argument<string> id = NewId();
        Option<string?> home = NewHome(SearchedIn);
        return global.Verb("rm", "Remove an artifact; its content goes with its last name.", [id, home], async (session, parsed, cancel) =>
        {
            using var client = session.Connect();
            ArtifactView removed = await client.PostAsync($"v1/artifact/remove?id={Uri.EscapeDataString(parsed.GetValue(id)!)}{HomeOf(parsed, home)}", ControlJson.Default.ArtifactView, cancel).ConfigureAwait(false);
            session.Terminal.Answer(removed, ControlJson.Default.ArtifactView, $"{NameOf(removed)} is removed");
            return 0;
        });
    }

    private static Option<string?> NewHome(string description) => new("--home") { Description = description };

    private static string HomeOf(ParseResult parsed, Option<string?> home) => parsed.GetValue(home) is { } wanted ? $"&home={Uri.EscapeDataString(wanted)}" : "";

    private static string NameOf(ArtifactView artifact) => artifact.ShortJob is { } job ? $"{job}/{artifact.Name}" : artifact.Name;

    private static Argument<string> NewId() => new("ARTIFACT") { Description = "JOB/NAME, sha256:..., or the name of one that was put there." };
}
