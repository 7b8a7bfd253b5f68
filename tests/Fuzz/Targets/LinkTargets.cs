using AgentMesh.Protocol.Tests.Crypto;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using AgentMesh.Cli.Client;
using AgentMesh.Fuzz.Engine;
using AgentMesh.Journal.Output;
using AgentMesh.Mesh.Artifacts;
using AgentMesh.Mesh.Contracts;
using AgentMesh.Mesh.Registry;
using AgentMesh.Mesh.Tests;
using AgentMesh.Mesh.Tests.Contracts;
using AgentMesh.Node.Artifacts;
using AgentMesh.Node.Control;
using AgentMesh.Node.Input;
using AgentMesh.Node.Links;
using AgentMesh.Node.Links.Wire;
using AgentMesh.Node.Output;
using AgentMesh.Node.Reach;
using AgentMesh.Node.RoundTrips;
using AgentMesh.Protocol.Identity;
using AgentMesh.Remoting;
using AgentMesh.Transport;
using AgentMesh.Workers.Attempts;
using Google.Protobuf;

namespace AgentMesh.Fuzz.Targets;

/// <summary>What devices that have been admitted may send on streams, what stands in journals, and bodies for the control API.</summary>
internal static class LinkTargets
{
    private static readonly PunchHelp s_help = new() { Candidates = static () => [] };

    private static readonly JsonTypeInfo[] Bodies =
    [
        ControlJson.Default.CommandRequest, ControlJson.Default.PipeRequest, ControlJson.Default.ArrayRequest, ControlJson.Default.WorkflowRequest, ControlJson.Default.StepEditRequest,
        ControlJson.Default.ForkRequest, ControlJson.Default.GroupRequest, ControlJson.Default.CronRequest, ControlJson.Default.BackfillRequest, ControlJson.Default.InviteRequest,
        ControlJson.Default.JoinRequest, ControlJson.Default.GrantRequest, ControlJson.Default.RenameRequest, ControlJson.Default.ForgetRequest, ControlJson.Default.RevokeRequest,
        ControlJson.Default.ConnectRequest, ControlJson.Default.PingRequest, ControlJson.Default.InputMessage,
    ];

    public static IEnumerable<FuzzTarget> All =>
    [
        new() { Name = "service-header", Seeds = () => [ServiceHeader.Encode("link"), ServiceHeader.Encode("output-append")], Parse = bytes => Result(ServiceHeader.TryReadAsync(new SentStream(bytes, 3), default)) is { } name ? 1 + name.Length : 0, InputBytesMax = 64 },
        new() { Name = "link-frame", Seeds = LinkSeeds, Parse = Link, AllocatedBytesBase = 2 * LinkFrames.FrameBytesMax, AllocatedBytesPerByte = 512 },
        new() { Name = "ping-frame", Seeds = () => [new byte[PingAnswer.Size]], Parse = bytes => bytes.Length < PingAnswer.Size ? 0 : PingAnswer.Read(bytes).Sequence == PingQuestion.Read(bytes).Sequence ? 1 : 2, InputBytesMax = 32 },
        new() { Name = "output-request", Seeds = OutputRequests, Parse = bytes => Result(OutputRequest.ReadAsync(new SentStream(bytes, 5), default)) is { } request ? 1 + request.Stream : 0, InputBytesMax = 600 },
        new() { Name = "output-frame", Seeds = () => Frames(new OutputFrame(OutputFrameKind.Data, 1, 70_000, 9).SendAsync), Parse = OutputFrames, InputBytesMax = 400 },
        new() { Name = "input-frame", Seeds = () => Frames(new InputFrame(InputFrameKind.Data, 70_000, 9).SendAsync), Parse = InputFrames, InputBytesMax = 400 },
        new() { Name = "artifact-request", Seeds = ArtifactRequests, Parse = bytes => Result(ArtifactRequest.ReadAsync(new SentStream(bytes, 7), default)) is { } request ? 1 + request.Name.Length : 0, InputBytesMax = 800 },
        new() { Name = "registry-entry", Seeds = Entries, Parse = bytes => RegistryEntry.TryRead(bytes, out RegistryEntry? entry) ? (int)entry.Change : 0, InputBytesMax = RegistryEntry.BytesMax + 100, AllocatedBytesPerByte = 256 },
        new() { Name = "registry-sync", Seeds = Entries, Parse = Sync, InputBytesMax = RegistryEntry.BytesMax, AllocatedBytesBase = 512 * 1024, AllocatedBytesPerByte = 1_024 },
        new() { Name = "mesh-contracts", Seeds = Contracts, Parse = Contract, IsDeclared = error => error is ContractException, InputBytesMax = 4_096, AllocatedBytesBase = 256 * 1024, AllocatedBytesPerByte = 1_024 },
        new() { Name = "control-body", Seeds = BodySeeds, Parse = Body, IsDeclared = error => error is JsonException, IsText = true, AllocatedBytesBase = 512 * 1024, AllocatedBytesPerByte = 512, Words = ["null", "true", "1e400", "\"\\ud800\"", "[[", "{\"a\":"] },
        new() { Name = "control-events", Seeds = EventSeeds, Parse = Events, IsDeclared = error => error is IOException, AllocatedBytesBase = 9 * 1024 * 1024 },
        new() { Name = "output-record", Seeds = RecordSeeds, Parse = bytes => bytes.Length < RecordHeader.Size ? 0 : RecordHeader.TryRead(bytes, out RecordHeader header) ? 1 + (int)header.Type : 0, InputBytesMax = 64 },
    ];

    private static T Result<T>(ValueTask<T> task) => task.IsCompleted ? task.GetAwaiter().GetResult() : task.AsTask().GetAwaiter().GetResult();

    private static IEnumerable<byte[]> LinkSeeds()
    {
        var hello = new Hello { Version = 1, Name = "box", Platform = "linux-x64", HostName = "box.local", ProductVersion = "0.1.0", Life = 7 };
        hello.Addresses.Add(["192.0.2.7:14590", "[2001:db8::7]:14590"]);
        hello.Capabilities.Add("calc");
        hello.Labels.Add("zone=lab");
        var view = new View { Incarnation = 5 };
        view.Members.Add(new Member { Device = Devices.Other.Id.ToString(), Incarnation = 9 });
        var heads = new RegistryHeads();
        heads.Heads.Add(new Head { Author = Devices.Other.Id.ToString(), Count = 3 });
        var entries = new RegistryEntries();
        entries.Entries.Add(ByteString.CopyFrom(Entries().First()));
        var where = new Whereabouts();
        where.Sightings.Add(new Sighting { Device = Devices.Other.Id.ToString(), Addresses = { "192.0.2.7:14590" } });
        var load = new Load { Running = 3, Waiting = 2 };
        load.Resources.Add(new ResourceLevel { Name = "gpu", Total = 2_000, Free = 1_000 });
        var punch = new Punch { Round = 4, IsAnswer = true, Step = Node.Links.Wire.PunchStep.Guess, Outside = "203.0.113.7:4000", PortStep = -2, Nat = new Nat { Mapping = Node.Links.Wire.NatMapping.Dependent, PortStep = 1 } };
        punch.Candidates.Add("198.51.100.4:14590");
        Frame[] frames =
        [
            new() { Hello = hello }, new() { View = view }, new() { RegistryHeads = heads }, new() { RegistryEntries = entries },
            new() { Whereabouts = where }, new() { Load = load }, new() { Punch = punch },
        ];
        return frames.Select(frame => WrittenStream.Of(stream => LinkFrames.WriteAsync(stream, frame, default)));
    }

    private static int Link(byte[] bytes)
    {
        var stream = new SentStream(bytes);
        int result = 0;
        for (int frames = 0; frames < 32 && Result(LinkFrames.ReadAsync(stream, default)) is { } frame; frames++)
        {
            result = (result * 31) + (int)frame.ContentCase + frame.ContentCase switch
            {
                Frame.ContentOneofCase.Hello => Hello(frame.Hello),
                Frame.ContentOneofCase.View => LinkContent.Of(Devices.Other.Id, frame.View) is null ? 100 : 200,
                Frame.ContentOneofCase.RegistryHeads => LinkContent.Of(frame.RegistryHeads).Count > 0 ? 100 : 200,
                Frame.ContentOneofCase.RegistryEntries => frame.RegistryEntries.Entries.Count > 0 ? 100 : 200,
                Frame.ContentOneofCase.Whereabouts => LinkContent.Of(frame.Whereabouts).Count > 0 ? 100 : 200,
                Frame.ContentOneofCase.Load => LinkContent.Of(frame.Load).Capacity is null ? 100 : 200,
                Frame.ContentOneofCase.Punch => Punch(frame.Punch),
                _ => 0,
            };
        }

        return result;
    }

    private static int Hello(Hello hello)
    {
        DeviceHello read = LinkContent.Of(hello);
        Assert.True(read.Name.Length <= 64 && read.Capabilities!.Count <= 64 && read.Labels!.Count <= 64, "a hello is kept beyond its bounds");
        return AddressText.ParseAll(hello.Addresses, 32).Any() ? 100 : 200;
    }

    private static int Punch(Punch punch)
    {
        IReadOnlyList<System.Net.IPEndPoint> candidates = PunchContent.CandidatesOf(punch, s_help);
        Assert.True(candidates.Count <= 32, "more candidates are taken than there may be");
        PunchContent.Of(punch.Nat);
        return 1_000 + (PunchContent.Of(punch.Step) is { } step ? (int)step : 50) + (candidates.Count > 0 ? 100 : 0) + (AddressText.TryParse(punch.Outside, out _) ? 200 : 0);
    }

    private static IEnumerable<byte[]> OutputRequests() =>
        [WrittenStream.Of(stream => new OutputRequest(Samples.Job.ToString(), 2, 1, 70_000, Follow: true).SendAsync(stream, default)), WrittenStream.Of(stream => new OutputRequest("x", 1, 0, 0, Follow: false, Lines: true).SendAsync(stream, default))];

    private static IEnumerable<byte[]> ArtifactRequests() =>
        [WrittenStream.Of(stream => ArtifactRequest.Of(new AttemptKey(Samples.Job, 1), "model", ContentHash.Of(new byte[32]), 7, 0).SendAsync(stream, default))];

    private static IEnumerable<byte[]> Frames(Func<IMeshStream, CancellationToken, ValueTask> send)
    {
        byte[] header = WrittenStream.Of(stream => send(stream, default));
        yield return [.. header, .. "nine byte"u8];
        for (byte kind = 2; kind < 8; kind++)
        {
            yield return [kind, .. header[1..10], 0, 0, 0, 0];
        }
    }

    private static int OutputFrames(byte[] bytes)
    {
        var stream = new SentStream(bytes);
        byte[] header = new byte[OutputFrame.HeaderBytes];
        return Result(OutputFrame.ReadAsync(stream, header, default)) is { } frame ? (int)frame.Kind + (frame.Length > 0 ? 100 : 0) : 0;
    }

    private static int InputFrames(byte[] bytes)
    {
        var stream = new SentStream(bytes);
        byte[] header = new byte[InputFrame.HeaderBytes];
        return Result(InputFrame.ReadAsync(stream, header, default)) is { } frame ? (int)frame.Kind + (frame.Length > 0 ? 100 : 0) : 0;
    }

    private static IEnumerable<byte[]> Entries()
    {
        RegistryEntry? before = null;
        foreach (RegistryChange change in Enum.GetValues<RegistryChange>().Where(change => change != RegistryChange.Succeed))
        {
            before = RegistryEntry.Sign(Devices.Other, before, Devices.Wall, change, Samples.Key(7), change is RegistryChange.Forget ? "" : "box", change is RegistryChange.Grants ? ["run", "calc"] : [], change is RegistryChange.Forget);
            yield return before.Bytes;
        }

        DeviceIdentity next = Devices.Other.CreateSuccessor(new SeededEntropy(3));
        RegistryEntry naming = RegistryEntry.Sign(Devices.Other, before, Devices.Wall, RegistryChange.Successor, next.PublicKey, "", []);
        yield return RegistryEntry.Sign(next, null, Devices.Wall, RegistryChange.Succeed, Devices.Other.PublicKey, "", [], naming: naming).Bytes;
    }

    /// <summary>A device that is believed sends it: the registry takes it or counts it, and what was trusted before stays.</summary>
    private static int Sync(byte[] bytes)
    {
        var chains = new RegistryChains([Devices.Own.PublicKey]);
        RegistryEntry admits = RegistryEntry.Sign(Devices.Own, null, Devices.Wall, RegistryChange.Admit, Devices.Other.PublicKey, "other", []);
        chains.Keep(admits);
        if (RegistryEntry.TryRead(bytes, out RegistryEntry? entry) && entry.Author != Devices.Own.PublicKey && chains.Fits(entry) && !chains.Has(entry))
        {
            chains.Keep(entry);
        }

        Dictionary<DeviceId, RegisteredDevice> devices = RegistryFold.Devices(Devices.Own.PublicKey, chains, chains.PutOut.Contains);
        Assert.True(entry is { Change: RegistryChange.Forget } || devices.ContainsKey(Devices.Other.Id), "a device that was trusted is not any more");
        return devices.Count + (entry is null ? 0 : 10 * (int)entry.Change);
    }

    private static readonly string[] Manifests = [.. MeshContracts.Manifests.Order(StringComparer.Ordinal)];

    /// <summary>Two bytes that choose the manifest, then the payload.</summary>
    private static IEnumerable<byte[]> Contracts()
    {
        foreach (object message in ContractSamples.Full)
        {
            if (MeshContracts.TryFind(message, out Contract? contract))
            {
                int number = Array.IndexOf(Manifests, contract.ManifestOf(message));
                byte[] bytes = contract.Write(message);
                if (bytes.Length < 4_000)
                {
                    yield return [(byte)(number >> 8), (byte)number, .. bytes];
                }
            }
        }
    }

    private static int Contract(byte[] bytes)
    {
        if (bytes.Length < 2)
        {
            return 0;
        }

        int number = ((bytes[0] << 8) | bytes[1]) % Manifests.Length;
        object message = MeshContracts.Read(Manifests[number], bytes[2..]);
        MeshContracts.TryFind(message, out Contract? contract);

        // What is read can be written: an entity that recovers from it makes snapshots of it.
        contract!.Write(message);
        return 1 + number;
    }

    private static IEnumerable<byte[]> BodySeeds() => ReachTargets.Texts(
        """{"line":"@gpu calc 1+2","target":"gpu","arguments":["a","b"],"environment":{"A":"b"},"attempts":3}""",
        """{"name":"nightly","schedule":"0 3 * * *","line":"calc 1+1","zone":"Europe/Berlin"}""",
        """{"link":"agentmesh://pair?v=1","code":"CLARA-MANGO-1234","grants":["run"]}""",
        """{"device":"gpu","name":"box","count":5,"intervalMs":1000,"all":true}""",
        """{"text":"steps: []","file":"flow.yaml","set":{"lr":"0.1"}}""",
        """{"columns":80,"rows":24,"what":"resize"}""");

    private static int Body(byte[] bytes)
    {
        int result = 0;
        JsonException? refused = null;
        for (int i = 0; i < Bodies.Length; i++)
        {
            try
            {
                result |= JsonSerializer.Deserialize(bytes, Bodies[i]) is null ? 0 : 1 << i;
            }
            catch (JsonException error)
            {
                refused = error;
            }
        }

        return result == 0 && refused is not null ? throw refused : result;
    }

    private static IEnumerable<byte[]> EventSeeds() => [[2, 0, 0, 0, 3, 0, 0, 0, (byte)'{', (byte)'}', 1, 2, 3], [2, 0, 0, 0, 0, 0, 0, 0, (byte)'{', (byte)'}']];

    private static int Events(byte[] bytes)
    {
        using var reader = new EventReader(new MemoryStream(bytes), isFramed: true);
        int count = 0;
        while (count < 100 && Result(reader.NextAsync(default)) is not null)
        {
            count++;
        }

        return count;
    }

    private static IEnumerable<byte[]> RecordSeeds()
    {
        byte[] bytes = new byte[RecordHeader.Size];
        new RecordHeader((RecordType)1, (AgentMesh.Journal.OutputStreamKind)1, 1, 100, 70_000, 0, 5).Write(bytes);
        yield return bytes;
    }
}
