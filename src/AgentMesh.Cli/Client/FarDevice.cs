using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using AgentMesh.Errors;
using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Client;

/// <summary>Another device that is asked in place of the one whose node is asked: the connection to this node becomes one to that one's control API.</summary>
internal sealed class FarDevice(string name)
{
    /// <summary>Of the answer that says whether the way is open.</summary>
    private const int HeadBytesMax = 16 * 1024;

    private static readonly TimeSpan LookWithin = TimeSpan.FromSeconds(15);

    /// <summary>As it was named on the command line.</summary>
    public string Name { get; } = name.TrimStart('@');

    /// <param name="connection">To the node of this device; from now on to that one's.</param>
    /// <exception cref="MeshException">Why not, as the node of this device says.</exception>
    /// <exception cref="IOException">What came is no HTTP.</exception>
    /// <exception cref="SocketException">The connection was lost.</exception>
    public void Enter(Socket connection)
    {
        ControlSocket.SendAll(connection, Encoding.ASCII.GetBytes(
            $"GET /v1/on?device={Uri.EscapeDataString(Name)} HTTP/1.1\r\nHost: agentmesh\r\nConnection: Upgrade\r\nUpgrade: {ControlTunnel.Protocol}\r\n\r\n"));
        string head = Head(connection);
        if (!head.StartsWith("HTTP/1.1 101 ", StringComparison.Ordinal))
        {
            throw Refused(connection, head);
        }
    }

    /// <summary>Looks, after an answer was cut off, whether the way is there again: who shut it says why.</summary>
    /// <param name="socket">Of the node of this device.</param>
    public async Task<MeshException> WhyLostAsync(string socket, Exception? error)
    {
        using var late = new CancellationTokenSource(LookWithin);
        try
        {
            await Task.Run(() => ControlSocket.Open(socket, this, late.Token).Dispose(), CancellationToken.None).ConfigureAwait(false);
        }
        catch (MeshException why)
        {
            return why;
        }
        catch (Exception silent) when (silent is IOException or OperationCanceledException)
        {
            // Nobody says why.
        }

        return new MeshException(
            CliErrors.WayLost,
            $"the way to {Name} was lost in the middle of an answer",
            $"what {Name} had accepted goes on there: look with 'agentmesh --on {Name} job list', or say it again",
            error);
    }

    /// <summary>Byte by byte: what follows is not for this.</summary>
    private static string Head(Socket connection)
    {
        var head = new List<byte>(256);
        byte[] one = new byte[1];
        while (!(head is [.., (byte)'\r', (byte)'\n', (byte)'\r', (byte)'\n']))
        {
            if (head.Count == HeadBytesMax || connection.Receive(one) == 0)
            {
                throw new IOException("the answer of the node is cut off, or is no HTTP");
            }

            head.Add(one[0]);
        }

        return Encoding.ASCII.GetString([.. head]);
    }

    private static MeshException Refused(Socket connection, string head)
    {
        const string field = "Content-Length:";
        string? length = head.Split("\r\n").FirstOrDefault(line => line.StartsWith(field, StringComparison.OrdinalIgnoreCase))?[field.Length..];
        if (!int.TryParse(length, NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture, out int bytes) || bytes > HeadBytesMax)
        {
            return new MeshException(CliErrors.Usage, "the node of this device is older than this command line, and knows no --on", "restart it: agentmesh down, then agentmesh up");
        }

        byte[] body = new byte[bytes];
        for (int count = 0, read; count < bytes; count += read)
        {
            read = connection.Receive(body.AsSpan(count));
            if (read == 0)
            {
                throw new IOException("the answer of the node is cut off");
            }
        }

        try
        {
            return JsonSerializer.Deserialize(body, ControlJson.Default.ProblemView) is { } problem ? new MeshException(problem.Code, problem.Message, problem.Next) : throw new IOException("the answer of the node is empty");
        }
        catch (JsonException nonsense)
        {
            throw new IOException(nonsense.Message, nonsense);
        }
    }
}
