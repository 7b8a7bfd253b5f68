using System.Net.Sockets;
using System.Text;
using AgentMesh.Journal.Audit;
using AgentMesh.Mesh.Registry;
using AgentMesh.Mesh.Tests.Registry;
using AgentMesh.Node.Administration;
using AgentMesh.Node.Control;
using AgentMesh.Protocol.Identity;
using AgentMesh.Remoting.Tests.Doubles;
using AgentMesh.Transport;
using Microsoft.Extensions.Logging.Abstractions;

namespace AgentMesh.Node.Tests.Administration;

/// <summary>The control API of the device "lab", which "laptop" asks by way of its own control socket and streams in memory.</summary>
internal sealed class TwoDevices : IAsyncDisposable
{
    public static readonly DeviceIdentity Lab = DeviceIdentity.Create(new Filled(1)), Laptop = DeviceIdentity.Create(new Filled(2));

    private readonly string _directory = Directory.CreateTempSubdirectory("am-adm-").FullName;
    private readonly MemoryConnection _here, _there;
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _serving = [];
    private readonly AuditLog _audit;
    private ControlServer _far = null!, _near = null!;

    private TwoDevices(TimeProvider time)
    {
        Registry = DeviceRegistry.Open(Path.Combine(_directory, "registry"), Lab, TimeProvider.System);
        Registry.Admit(Laptop.PublicKey, "laptop", []);
        _audit = AuditLog.Open(new AuditLogSettings(Path.Combine(_directory, "audit"), 1 << 20), TimeProvider.System);
        Audit = new AdministrationAudit(_audit, Registry, time, NullLogger.Instance);
        Administrators = new Administrators(Registry, Audit);
        (_here, _there) = MemoryConnection.Pair(Laptop.PublicKey, Lab.PublicKey);
    }

    public DeviceRegistry Registry { get; }

    public Administrators Administrators { get; }

    public AdministrationAudit Audit { get; }

    /// <summary>What is asked of "lab".</summary>
    public AskedServices Asked { get; private set; } = null!;

    public string Socket => Path.Combine(_directory, "near");

    /// <summary>What the audit log of "lab" says, the oldest first.</summary>
    public string[] Written => [.. _audit.Newest(default).Reverse().Select(entry => $"{entry.Taken.User}: {entry.Taken.Command} {entry.End?.Outcome ?? "running"} {entry.End?.Code}".TrimEnd())];

    public static async Task<TwoDevices> StartAsync(TimeProvider? time = null)
    {
        var two = new TwoDevices(time ?? TimeProvider.System);
        (IControlServices far, two.Asked) = AskedServices.Create();
        two._far = await ControlServer.StartAsync(Path.Combine(two._directory, "far"), far, (two.Administrators.Listener, new AdministrationWall("lab", two.Administrators, two.Audit)));
        (IControlServices near, AskedServices way) = AskedServices.Create();
        way.Way = (_, cancel) => two.EnterAsync(cancel);
        two._near = await ControlServer.StartAsync(two.Socket, near);
        return two;
    }

    public void Grant(params string[] grants) => Registry.SetGrants(Laptop.Id, grants);

    /// <summary>As the node of "laptop" does it.</summary>
    public Task<IMeshStream> EnterAsync(CancellationToken cancellationToken = default) =>
        RemoteControl.EnterAsync("lab", "laptop", async cancel => (await OpenAsync(cancel)).Mine, TimeProvider.System, cancellationToken);

    public async Task<(MemoryStreamEnd Mine, MemoryStreamEnd Theirs)> OpenAsync(CancellationToken cancellationToken = default)
    {
        IMeshStream mine = await _here.OpenStreamAsync(StreamPriority.Ordinary, cancellationToken);
        IMeshStream theirs = (await _there.AcceptStreamAsync(cancellationToken))!;
        lock (_serving)
        {
            _serving.Add(Administrators.ServeAsync(Laptop.Id, theirs, _stop.Token));
        }

        return ((MemoryStreamEnd)mine, (MemoryStreamEnd)theirs);
    }

    /// <summary>A client that asks "lab" by way of the node of "laptop".</summary>
    public HttpClient Client() => new(new SocketsHttpHandler
    {
        ConnectCallback = async (_, cancel) =>
        {
            (NetworkStream stream, string head) = await AskForWayAsync(ControlTunnel.Protocol, cancel);
            Assert.StartsWith("HTTP/1.1 101 ", head, StringComparison.Ordinal);
            Assert.Contains($"Upgrade: {ControlTunnel.Protocol}\r\n", head, StringComparison.Ordinal);
            return stream;
        },
    })
    {
        BaseAddress = new Uri("http://lab/"),
    };

    /// <param name="protocol">What the connection is to become.</param>
    /// <returns>The connection, and the head of the answer.</returns>
    public async Task<(NetworkStream Stream, string Head)> AskForWayAsync(string protocol, CancellationToken cancel)
    {
        var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await connection.ConnectAsync(new UnixDomainSocketEndPoint(Socket), cancel);
        var stream = new NetworkStream(connection, ownsSocket: true);
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"GET /v1/on?device=lab HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: {protocol}\r\n\r\n"), cancel);
        var head = new StringBuilder();
        for (byte[] one = new byte[1]; !head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal) && await stream.ReadAsync(one, cancel) == 1;)
        {
            head.Append((char)one[0]);
        }

        return (stream, head.ToString());
    }

    public async ValueTask DisposeAsync()
    {
        await _near.DisposeAsync();
        await _stop.CancelAsync();
        await Task.WhenAll(_serving).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _far.DisposeAsync();
        Administrators.Dispose();
        _audit.Dispose();
        Registry.Dispose();
        Directory.Delete(_directory, recursive: true);
    }
}
