using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using AgentMesh.Cli.Output;
using AgentMesh.Cli.Scripts;
using AgentMesh.Cli.Sec;
using AgentMesh.Errors;
using AgentMesh.Fuzz.Engine;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Arrays;
using AgentMesh.Mesh.Artifacts;
using AgentMesh.Mesh.Commands;
using AgentMesh.Mesh.Cron;
using AgentMesh.Mesh.Cron.File;
using AgentMesh.Mesh.Groups;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Registry;
using AgentMesh.Mesh.Selectors;
using AgentMesh.Mesh.Tests;
using AgentMesh.Mesh.Turns;
using AgentMesh.Mesh.Workflows;
using AgentMesh.Mesh.Workflows.File;
using AgentMesh.Node.Links;
using AgentMesh.Node.Pairing;
using AgentMesh.Node.Settings;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Pairing;
using AgentMesh.Protocol.Pairing.Codes;
using AgentMesh.Protocol.Tests.Crypto;
using AgentMesh.Workers.Calc;
using AgentMesh.Workers.Reports;

namespace AgentMesh.Fuzz.Targets;

/// <summary>What people type and what stands in files: refused with a code, never with anything else.</summary>
internal static class TextTargets
{
    private static readonly Invitation Invited = new()
    {
        Key = Devices.Own.PublicKey,
        Secret = InvitationSecret.Next(new SeededEntropy(11)),
        ExpiresAt = Devices.Wall.AddMinutes(10),
        InviterName = "ada's box",
        Addresses = [Devices.Place, Devices.Place6],
        Beacons = [$"beacon.example.org:14590#{Devices.Other.PublicKey}"],
    };

    private static readonly string Link = Invited.ToLink();

    private static readonly byte[] Sec = SecFile.Seal(SecContent.Of(Invited, Devices.Wall, TimeSpan.FromMinutes(1)), "pass", new SeededEntropy(12));

    private static readonly WorkflowDefaults Defaults = new(
        selector => new StepTargets(new ArrayTargets(selector is null ? "here" : Selector.Parse(selector).Text, false, [Samples.Gpu], []), []),
        line => JobCommand.Handler(CommandLine.Parse(line).Command),
        command => Samples.SpecOf(command: command),
        Samples.Laptop);

    public static IEnumerable<FuzzTarget> All =>
    [
        Text("invitation-link", text => Invitation.Parse(text, Devices.Wall).Addresses.Count, [Link, "agentmesh://pair?v=2&k=x"], "&a=", "&b=", "&c=", "&v=", "%00", "%", "[::]:1") with { InputBytesMax = 5_000 },
        Text("invitation-link-checked", Checked, [Link[..Link.LastIndexOf("&c=", StringComparison.Ordinal)]], "&a=", "&b=", "&n=", "&x=", "%00", "%", "[::]:1", "0.0.0.0:1"),
        Text("pairing-code", text => PairingCode.TryParse(text, out PairingCode code, out string problem) ? 1 + code.ToString().Length : 2 + problem.Length, ["CLARA-MANGO-1234", "able acid 0007"]),
        Bytes("code-message", CodeMessages, CodeMessage) with { InputBytesMax = 260, AllocatedBytesBase = 256 * 1024, TimeMax = TimeSpan.FromMilliseconds(500) },
        Bytes("sec-file", () => [Sec], bytes => SecFile.Read(bytes).Iterations) with { IsText = true, IsDeclared = FuzzTarget.HasCode, InputBytesMax = 4_096, AllocatedBytesPerByte = 256 },
        Bytes("sec-content", () => [JsonSerializer.SerializeToUtf8Bytes(SecContent.Of(Invited, Devices.Wall, TimeSpan.FromMinutes(1)), SecJson.Default.SecContent)], SecInside) with { IsText = true, IsDeclared = error => FuzzTarget.HasCode(error) || error is JsonException, AllocatedBytesPerByte = 256 },
        Text("join-place", text => JoinPlace.TryRead(text, out HostPort place) ? 1 + Math.Min(place.Port, 2) : 0, ["box.local:14590", "192.0.2.7", "[2001:db8::7]:1"]),
        Text("address", text => AddressText.TryParse(text, out _) ? 1 : 0, ["192.0.2.7:14590", "[2001:db8::7]:14590"]),
        Text("device-id", text => DeviceId.TryParse(text, out _) ? 1 : 0, [Devices.Own.Id.ToString()]),
        Text("mesh-ids", Ids, [Samples.Job.ToString(), ArrayId.FromIdempotencyKey(Samples.Home, "x").ToString(), WorkflowId.FromIdempotencyKey(Samples.Home, "x").ToString(), $"cron/{Samples.Home}/nightly"]),
        Text("command-line", text => CommandLine.Parse(text).Command.Length > 0 ? 1 : 2, ["@gpu-box train --lr 3e-4", "@all 'a b' \"c\\\"d\"", "calc 1+2"], "@", "'", "\"", "\\"),
        Text("pipe-line", text => PipeLine.Parse(text).Stages.Count, ["@a seq 5 | @b sort | wc -l", "echo 'a|b' | cat"], "|", "'", "\""),
        Text("quoting", text => Quoting.Split(text).Count, ["a 'b c' \"d e\" f\\ g"], "'", "\"", "\\"),
        Text("aliases", text => Aliases.Expand(text, new Dictionary<string, string> { ["ll"] = "ls -l", ["a"] = "b x", ["b"] = "a y" }, new Dictionary<string, string>()).Words.Length, ["ll /tmp", "a 1"], "ll", "a ", "b "),
        Text("selector", text => Selector.Parse(text).Terms.Length, ["@all,gpu,label:zone=lab,!box", "@label:gpu", "@0", "@best"], "label:", "@", "!", ",", "best", "role:"),
        Text("cron-expression", text => CronExpression.Parse(text).NextAfter(Devices.Wall, TimeZoneInfo.Utc) is { } next ? 1 + next.Month : 0, ["*/5 0-6 1,15 * MON-FRI", "@daily", "@reboot", "0 0 31 2 *", "H H(0-7) * * *"], "*/", "@", "L", "#", "W", "-", ",") with { TimeMax = TimeSpan.FromMilliseconds(500) },
        Text("cron-file", text => CronFile.Parse(text) is var file ? file.Jobs.Length + (100 * Math.Min(file.Problems.Length, 9)) : 0, ["# Jobs\n\n## Nightly\n\n- **Schedule**: `0 3 * * *`\n- **Command:** `calc 1+1`\n* **On**: @gpu\n**Enabled**: true\n\n```\nrun x\n```\n", "## A\n**Command**: echo hi\n**Jitter**: 5s\n**Zone**: UTC\n## A\n**Comand**: x\n"], "## ", "- ", "**", "**: ", "Schedule", "Command", "```", "`", "Jitter", "Zone", "Priority") with { InputBytesMax = 4_096, AllocatedBytesPerByte = 1_024 },
        Text("workflow-yaml", text => WorkflowReader.Read(text, "flow.yaml", ImmutableDictionary<string, string>.Empty, Defaults).Steps.Count, ["name: nightly\nvars: { lr: \"0.1\" }\nmax-parallel: 3\nsteps:\n  - name: prepare\n    run: echo ${lr}\n  - name: train\n    on: \"@gpu\"\n    command: [python, train.py]\n    needs: [prepare]\n    env: { A: b }\n    attempts: 3\n    backoff: 5s\n", "steps:\n- name: a\n  run: &x |\n    echo 1\n- name: b\n  run: *x\n"], "- ", "&a ", "*a", "<<: ", "!!", "|", ">", "? ", "---\n", "${", "${{", "steps:", "needs:") with { InputBytesMax = 4_096, AllocatedBytesBase = 1 << 20, AllocatedBytesPerByte = 4_096 },
        Text("duration", text => DurationText.TryRead(text) is null ? 0 : 1, ["10s", "1h30m", "500ms", "2d"]),
        Text("parameter-table", text => ParameterTable.Parse(text, "grid.csv").Count, ["lr,seed\n0.1,1\n\"a \"\"b\"\"\",2\n", "a\tb\n1\t2\n"], ",", "\"", "\"\"", "\n", "\ufeff") with { InputBytesMax = 4_096, AllocatedBytesPerByte = 1_024 },
        Text("array-range", text => ArrayRange.Parse(text).Items.Count is var count && count < 100 ? count : 100, ["0-9", "1-100%8", "1,3,5-20:2"], "-", ":", "%", ",") with { AllocatedBytesBase = 64 << 20, TimeMax = TimeSpan.FromSeconds(2) },
        Text("resources", text => ResourceAmounts.Parse(text.Split(' ')).Thousandths.Count, ["gpu=1 mem=24G cpu=0.5"], "=", "G", "."),
        Text("job-words", JobWords, ["ok:01JABC", "any:01JABC", "model=outputs/model.bin", "train"]),
        Text("script", text => ScriptFile.Read("x.am", text, new Variables()).Count, ["# demo\nx = @gpu calc 1+2\necho $x\nset -e\ny := a b\necho ${y} \\\n  more\n"], "$", "${", "= ", ":= ", "\\\n", "set ") with { AllocatedBytesPerByte = 1_024 },
        Text("calculator", text => Calculator.Evaluate(text).Length, ["1+2*3", "sqrt(2)^10", "0x1f % 7", "max(1,2,3)!", "1/3"], "(", ")", "!", "^", "e", "pi", "**", "sqrt(") with { AllocatedBytesBase = 64 << 20, AllocatedBytesPerByte = 1 << 20, TimeMax = TimeSpan.FromSeconds(3), InputBytesMax = 400 },
        Bytes("progress-line", () => ReachTargets.Texts("0.5 epoch 3", "50% half", "loading"), bytes => ProgressLine.Read(bytes) is { } read ? (read.Fraction is null ? 1 : 2) : 0) with { IsText = true },
        Text("configuration", Configuration, ["agentmesh { device-name = box, listen { port = 14590, addresses = [\"0.0.0.0\"] } }", "agentmesh.link.retry-min = 500ms\nagentmesh.aliases { ll = \"ls -l\" }\n", "include \"x\"\nagentmesh.resources { gpu = 2, mem = 24G }\n# c\n// d\na = ${b}\n"], "{", "}", "${", "${?", "+=", "\"\"\"", "include ", "agentmesh.", "akka.") with { InputBytesMax = 1_500, AllocatedBytesBase = 16 << 20, AllocatedBytesPerByte = 16 << 10, TimeMax = TimeSpan.FromSeconds(1) },
        Bytes("utf8-chunks", () => ReachTargets.Texts("aé€\U0001F600z"), Chunks) with { IsText = true, AllocatedBytesPerByte = 512, InputBytesMax = 200 },
    ];

    private static FuzzTarget Text(string name, Func<string, int> parse, string[] seeds, params string[] words) => new()
    {
        Name = name,
        Seeds = () => ReachTargets.Texts(seeds),
        Parse = bytes => parse(Encoding.UTF8.GetString(bytes)),
        IsDeclared = FuzzTarget.HasCode,
        IsText = true,
        Words = words,
        AllocatedBytesPerByte = 512,
    };

    private static FuzzTarget Bytes(string name, Func<IEnumerable<byte[]>> seeds, Func<byte[], int> parse) => new() { Name = name, Seeds = seeds, Parse = parse };

    /// <summary>With a right check: what a hostile inviter may write.</summary>
    private static int Checked(string text)
    {
        Invitation read = InvitationLink.Read($"{text}&c={InvitationLink.CheckOf(text)}");
        Assert.True(read.Addresses.Count is > 0 and <= Invitation.AddressesMax && read.Beacons.Count <= Invitation.BeaconsMax && !read.InviterName.Any(char.IsControl), "a link gives more than it may");
        return read.Addresses.Count + (100 * read.Beacons.Count);
    }

    private static int SecInside(byte[] bytes) => JsonSerializer.Deserialize(bytes, SecJson.Default.SecContent)?.ToInvitation(Devices.Wall).Addresses.Count ?? 0;

    private static IEnumerable<byte[]> CodeMessages()
    {
        yield return new CodeQuestion(14590, 5, 7).ToBytes();
        foreach (CodeMessageType type in Enum.GetValues<CodeMessageType>().Where(type => type != CodeMessageType.Question))
        {
            yield return new CodeHead(type, 0, 7, 9).ToBytes();
        }

        yield return CodeShares.Start(7, 0, 5);
    }

    /// <summary>As the side that has the code and the side that was told it take it.</summary>
    private static int CodeMessage(byte[] bytes)
    {
        var book = new InvitationBook();
        var entropy = new SeededEntropy(13);
        InvitationSecret secret = book.Create(Devices.Wall, TimeSpan.FromMinutes(10), entropy);
        var inviter = new CodeInviter(Devices.Own, "box", book, entropy);
        PairingCode code = inviter.Offer(secret.Id);
        CodeOutcome outcome = inviter.Handle(bytes, Devices.Place, Devices.Now, out byte[] answer);
        Assert.True(answer.Length <= 3 * Math.Max(bytes.Length, 1), $"{answer.Length} bytes answer {bytes.Length}");
        using var joiner = new CodeJoiner(code, Devices.Other.PublicKey, [Devices.Place], entropy, Devices.Now);
        joiner.Handle(bytes, Devices.Place, Devices.Now);
        Assert.True(joiner.Result is not { Invitation: not null }, "an answer of nobody is an invitation");
        return (int)outcome + (answer.Length > 0 ? 100 : 0) + (CodeQuestion.TryRead(bytes, out _) ? 200 : 0) + (joiner.Result is null ? 0 : 1_000 + (int)joiner.Result.Failure);
    }

    private static int Ids(string text) =>
        (JobId.TryParse(text, out _) ? 1 : 0) + (ArrayId.TryParse(text, out _) ? 2 : 0) + (WorkflowId.TryParse(text, out _) ? 4 : 0) + (CronId.TryParse(text, out _) ? 8 : 0)
        + (HomeId.TryParse(text, out _) ? 16 : 0) + (Ulid.TryParse(text, out _) ? 32 : 0) + (ContentHash.TryParse(text, out _) ? 64 : 0) + (GroupId.TryParse(text, out _) ? 128 : 0);

    private static int JobWords(string text)
    {
        int result = 0;
        MeshException? refused = null;
        foreach (Action read in (Action[])[() => JobDependency.Parse(text), () => ArtifactNames.Parse(text), () => DeviceName.Clean(text), () => DeviceLabel.IsValid(text)])
        {
            try
            {
                read();
                result++;
            }
            catch (MeshException error)
            {
                refused = error;
            }
        }

        return result == 0 && refused is not null ? throw refused : result;
    }

    private static int Configuration(string text)
    {
        string file = Path.Combine(Path.GetTempPath(), $"am-fuzz-{Environment.ProcessId}-{Environment.CurrentManagedThreadId}.conf");
        File.WriteAllText(file, text);
        return SettingsLoader.Load(new SettingsSource(file, "/tmp/am-fuzz", ImmutableDictionary<string, string>.Empty, _ => null)).Aliases.Count;
    }

    /// <summary>Cut anywhere, what is written is what came, and no piece ends inside of a character that goes on.</summary>
    private static int Chunks(byte[] bytes)
    {
        using var to = new MemoryStream();
        var whole = new WholeCharacters(to);
        for (int at = 0, step = 1; at < bytes.Length; at += step, step = 1 + (step % 5))
        {
            whole.WriteAsync(bytes.AsMemory(at, Math.Min(step, bytes.Length - at)), default).Wait();
        }

        whole.FlushAsync(default).Wait();
        Assert.True(to.ToArray().AsSpan().SequenceEqual(bytes), "bytes were lost, doubled or moved");
        return bytes.Length > 0 ? 1 + (bytes[^1] >> 4) : 0;
    }
}
