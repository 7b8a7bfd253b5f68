using AgentMesh.Errors;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Peers;
using AgentMesh.Node.Links;
using AgentMesh.Node.Services;
using AgentMesh.Remoting;
using AgentMesh.Transport;

namespace AgentMesh.Node.Administration;

/// <summary>Opens the way to the control API of another device.</summary>
internal sealed class RemoteControl(Devices devices, LinkService links, DeviceDirectory directory, ConnectionHub hub, TimeProvider time)
{
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(10);

    /// <returns>A stream that the device serves: it speaks HTTP/1.1.</returns>
    /// <exception cref="MeshException">AM0302/AM0303 no such device, AM0304 offline, AM0179 no grant there, AM0189 an older node there, AM0191, AM0192, AM0193.</exception>
    public async Task<IMeshStream> OpenAsync(string selector, CancellationToken cancellationToken)
    {
        NamedDevice device = devices.One(selector);
        if (device.IsSelf)
        {
            throw new MeshException(AdministrationErrors.ThisDevice, $"{device.Name} is this device", "leave --on away");
        }

        await links.KnowAsync(device.Id, cancellationToken).ConfigureAwait(false);
        if (!hub.IsLive(device.Id))
        {
            string absence = Absence.Of(device.Name, directory.LastSeen(device.Id), time.GetUtcNow());
            throw new MeshException(
                MeshErrors.PeerOffline,
                links.Problem(device.Id) is { } why ? $"{absence}: {why}" : absence,
                "start its node with 'agentmesh up' there; 'agentmesh peers' shows who is there, 'agentmesh connect HOST' tries another address");
        }

        return await EnterAsync(device.Name, devices.Self.Name, cancel => hub.OpenAsync(device.Id, ControlStream.Service, StreamPriority.Ordinary, cancel), time, cancellationToken).ConfigureAwait(false);
    }

    /// <param name="name">Of the device, for people.</param>
    /// <param name="here">The name of this device.</param>
    internal static async Task<IMeshStream> EnterAsync(string name, string here, Func<CancellationToken, ValueTask<IMeshStream>> open, TimeProvider time, CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(AnswerWithin, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        IMeshStream? stream = null;
        try
        {
            stream = await open(either.Token).ConfigureAwait(false);
            byte[] answer = new byte[1];
            if (await stream.ReadAsync(answer, either.Token).ConfigureAwait(false) == 0)
            {
                throw Lost(name, "it closed the stream and said nothing");
            }

            return (ControlAnswer)answer[0] switch
            {
                ControlAnswer.Serves => Interlocked.Exchange(ref stream, null),
                ControlAnswer.TooManyStreams => throw TooMany(name),
                _ => throw new MeshException(AdministrationErrors.NotGranted, $"{name} does not let {here} administer it", $"on {name}: agentmesh grant {here} admin, or admin:read to look only"),
            };
        }
        catch (StreamAbortedException old) when (old.Code == StreamCodes.UnknownService)
        {
            throw new MeshException(AdministrationErrors.TooOld, $"the node of {name} is older than this one, and cannot be administered from another device", $"update AgentMesh on {name}, or work there", old);
        }
        catch (StreamAbortedException full) when (full.Code == StreamCodes.TooManyStreams)
        {
            throw TooMany(name, full);
        }
        catch (IOException gone)
        {
            throw Lost(name, gone.Message, gone);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw Lost(name, $"it said nothing for {AnswerWithin.TotalSeconds} s");
        }
        finally
        {
            if (stream is not null)
            {
                stream.Abort(StreamCodes.Done);
                await stream.DisposeAsync().ConfigureAwait(false);
            }
        }
    }

    private static MeshException TooMany(string name, Exception? inner = null) => new(
        AdministrationErrors.TooManyStreams, $"{name} serves as many streams of this device as it does at a time ({ControlStream.StreamsMax})", "end a command that follows something there (logs -f, watch, attach), and try again", inner);

    private static MeshException Lost(string name, string why, Exception? inner = null) => new(
        AdministrationErrors.WayLost, $"the way to {name} was lost: {why}", $"'agentmesh ping {name}' shows whether it is there; try again", inner);
}
