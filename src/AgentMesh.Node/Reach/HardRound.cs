using System.Net;
using System.Net.Sockets;
using AgentMesh.Node.Links;
using AgentMesh.Node.Links.Wire;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Punching;
using AgentMesh.Transport;
using AgentMesh.Transport.Spare;
using PunchStep = AgentMesh.Protocol.Punching.PunchStep;

namespace AgentMesh.Node.Reach;

/// <summary>This device's part in the rounds for hard NATs: beacon-v1, "Hard NATs". It opens ports or sends to those that nobody has named, never towards an address that no beacon confirms.</summary>
internal sealed class HardRound(MeshConnection connection, PunchHelp help, TimeProvider time)
{
    private const int SparesMax = 256;
    private const int Repeats = 3;

    // Enough for home router and carrier, too little to get to the other side's.
    private const short NearHops = 5;

    /// <summary>2,048 probes, 100 a second, and a little for the last answers.</summary>
    public static readonly TimeSpan GuessTime = TimeSpan.FromSeconds(21.5);

    private static readonly TimeSpan AgainAfter = TimeSpan.FromSeconds(10);

    /// <summary>What to say to the other side before a prediction; null when the port cannot be known now.</summary>
    /// <param name="shift">From which of the next ports on; 1 for the very next.</param>
    public async Task<(IPEndPoint Outside, int Step)?> PredictAsync(int shift, CancellationToken cancellationToken)
    {
        NatBehaviour nat = help.Nat();
        if (!nat.IsInSteps)
        {
            return help.Outside() is { } fixedOne ? (fixedOne, 0) : null;
        }

        return await help.SampleAsync(cancellationToken).ConfigureAwait(false) is { } seen && PortSteps.Shifted(seen, nat.PortStep, shift) is { } first ? (first, nat.PortStep) : null;
    }

    /// <summary>Where the other side said it is, if a beacon says so too.</summary>
    public async Task<IPEndPoint?> ConfirmAsync(Punch punch, CancellationToken cancellationToken) =>
        AddressText.ParseAll([punch.Outside], 1).FirstOrDefault() is { AddressFamily: AddressFamily.InterNetwork } outside
        && await help.IsThereAsync(connection.RemoteId, outside, cancellationToken).ConfigureAwait(false) ? outside : null;

    /// <param name="theirs">Confirmed; the first of its ports.</param>
    /// <param name="theirStep">0 where it has one port for all.</param>
    public void SendPredicted(IPEndPoint theirs, int theirStep, TimeSpan delay)
    {
        if (help.Nat().IsInSteps && theirStep == 0)
        {
            Open(theirs, PortSteps.PredictedMax, NearHops);
            return;
        }

        IReadOnlyList<int> ports = PortSteps.From(theirs.Port, Math.Clamp(theirStep, -64, 64));
        connection.Guess(Enumerable.Repeat(ports, Repeats).SelectMany(each => each).Select(port => new IPEndPoint(theirs.Address, port)), delay);
    }

    /// <summary>Guesses, or opens ports for the other side to guess, until the path is direct or the time is over.</summary>
    public async Task RunAsync(PunchStep step, IPEndPoint theirs, TimeSpan delay, CancellationToken cancellationToken)
    {
        if (step == PunchStep.Open)
        {
            await OpenManyAsync(theirs, cancellationToken).ConfigureAwait(false);
            return;
        }

        Guess(theirs, delay);
        await WaitAsync(time.GetTimestamp(), GuessTime + delay, cancellationToken).ConfigureAwait(false);
    }

    private void Guess(IPEndPoint theirs, TimeSpan delay) =>
        connection.Guess(PortSteps.AtRandom(PortSteps.ProbesMax, SystemEntropy.Instance).Select(port => new IPEndPoint(theirs.Address, port)), delay);

    private async Task OpenManyAsync(IPEndPoint theirs, CancellationToken cancellationToken)
    {
        var sockets = new List<SpareSocket>();
        try
        {
            long start = time.GetTimestamp();
            while (sockets.Count < SparesMax && connection.Path.IsRelayed && help.Spares?.TryOpen(GuessTime) is { } socket)
            {
                sockets.Add(socket);
                socket.OpenTowards(theirs, NearHops);
                await Task.Delay(PortSteps.Pace, time, cancellationToken).ConfigureAwait(false);
            }

            await WaitAsync(start, AgainAfter, cancellationToken).ConfigureAwait(false);
            foreach (SpareSocket socket in sockets.TakeWhile(_ => connection.Path.IsRelayed))
            {
                socket.OpenTowards(theirs, null);
                await Task.Delay(PortSteps.Pace, time, cancellationToken).ConfigureAwait(false);
            }

            await WaitAsync(start, GuessTime, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            help.Spares?.Release(sockets);
        }
    }

    private async Task WaitAsync(long start, TimeSpan until, CancellationToken cancellationToken)
    {
        while (connection.Path.IsRelayed && time.GetElapsedTime(start) < until)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100), time, cancellationToken).ConfigureAwait(false);
        }
    }

    private void Open(IPEndPoint theirs, int count, short hops)
    {
        for (int i = 0; i < count && help.Spares?.TryOpen(TimeSpan.FromSeconds(5)) is { } socket; i++)
        {
            socket.OpenTowards(theirs, hops);
        }
    }
}
