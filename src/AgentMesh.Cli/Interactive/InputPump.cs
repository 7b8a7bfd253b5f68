using System.Runtime.InteropServices;
using AgentMesh.Cli.Client;
using AgentMesh.Errors;
using AgentMesh.Node;
using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Interactive;

internal enum InputEnd
{
    /// <summary>The program takes no more, or nobody wants it to.</summary>
    Over,

    /// <summary>The person has typed the way out.</summary>
    Left,

    /// <summary>The program goes on, and waits for the next one.</summary>
    Detached,
}

/// <summary>Sends what this process reads to a program, and the size of its terminal.</summary>
/// <param name="onTerminal">The program has a terminal, and this process too, which gives it each key.</param>
internal sealed class InputPump(ControlClient client, string job, bool onTerminal)
{
    private const int PieceBytes = 64 * 1024;

    /// <summary>The reader looks so often whether it is still wanted.</summary>
    private static readonly TimeSpan ReadWithin = TimeSpan.FromMilliseconds(100);

    /// <summary>A key that may be the first of two is held back for so many looks.</summary>
    private const int LooksForSecondKey = 10;

    /// <summary>The device is asked to wait for the next one, and says that it does.</summary>
    private static readonly TimeSpan DetachWithin = TimeSpan.FromSeconds(15);

    /// <summary>A program that is asked to draw itself again notices two sizes.</summary>
    private static readonly TimeSpan RedrawAfter = TimeSpan.FromMilliseconds(150);

    /// <summary>The program runs already: it is asked to draw itself, goes on when this process goes, and an empty input is none.</summary>
    public bool IsAttached { get; init; }

    /// <exception cref="MeshException">The input is refused; AM0229: it is not known whether the program waits for the next one.</exception>
    public async Task<InputEnd> RunAsync(CancellationToken cancel)
    {
        try
        {
            using InputLink link = await client.OpenInputAsync(job, cancel).ConfigureAwait(false);
            try
            {
                return await SendAsync(link, cancel).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (IsAttached)
            {
                return await DetachAsync(link).ConfigureAwait(false);
            }
        }
        catch (MeshException ended) when (ended.Code == NodeErrors.InputOver)
        {
            // It ended before its input was asked for, as a program does that cannot start: the events of the command say how.
            return InputEnd.Over;
        }
        catch (OperationCanceledException)
        {
            return InputEnd.Over;
        }
    }

    private async Task<InputEnd> SendAsync(InputLink link, CancellationToken cancel)
    {
        if (onTerminal)
        {
            Tty.MakeRaw();
        }

        using PosixSignalRegistration? resizing = onTerminal && !OperatingSystem.IsWindows() ? PosixSignalRegistration.Create(PosixSignal.SIGWINCH, _ => TellSize(link, 0)) : null;
        if (onTerminal && IsAttached)
        {
            TellSize(link, -1);
            await Task.Delay(RedrawAfter, TimeProvider.System, cancel).ConfigureAwait(false);
        }

        if (onTerminal)
        {
            TellSize(link, 0);
        }

        using var done = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        Task<InputEnd> reading = Task.Run(() => ReadAsync(link, onTerminal ? new EscapeKeys() : null, done.Token), CancellationToken.None);
        Task first = await Task.WhenAny(reading, link.Closed).ConfigureAwait(false);
        await done.CancelAsync().ConfigureAwait(false);
        if (first == reading)
        {
            switch (await reading.ConfigureAwait(false))
            {
                case InputEnd.Left:
                    return InputEnd.Left;
                case InputEnd.Detached:
                    return await DetachAsync(link).ConfigureAwait(false);
            }
        }

        await link.Closed.WaitAsync(cancel).ConfigureAwait(false);
        return InputEnd.Over;
    }

    private static async Task<InputEnd> DetachAsync(InputLink link)
    {
        using var late = new CancellationTokenSource(DetachWithin);
        try
        {
            await link.SendAsync(new InputMessage("detach"), late.Token).ConfigureAwait(false);
            await link.Closed.WaitAsync(late.Token).ConfigureAwait(false);
            return InputEnd.Detached;
        }
        catch (OperationCanceledException)
        {
            throw new MeshException(CliErrors.NotDetached, "the device did not say that the program waits for the next terminal", "attach again soon: a program that is left without a word loses its terminal after agentmesh.workers.input-grace (30 s)");
        }
    }

    private static void TellSize(InputLink link, int moreRows)
    {
        if (Tty.Size is { } size)
        {
            _ = link.SendAsync(new InputMessage("resize", size.Columns, Math.Max(1, size.Rows + moreRows)), CancellationToken.None);
        }
    }

    private async Task<InputEnd> ReadAsync(InputLink link, EscapeKeys? keys, CancellationToken cancel)
    {
        byte[] buffer = new byte[PieceBytes];
        bool isEmpty = true;
        for (int idle = 0; !cancel.IsCancellationRequested;)
        {
            if (Tty.Read(buffer, ReadWithin) is not { } read)
            {
                if (keys is { IsWaiting: true } && ++idle >= LooksForSecondKey)
                {
                    await link.SendAsync(keys.Release(), cancel).ConfigureAwait(false);
                }

                continue;
            }

            idle = 0;
            if (read == 0)
            {
                // Of a script that runs without input, what it attaches to does not end.
                if (!(IsAttached && isEmpty))
                {
                    await link.SendAsync(new InputMessage("end"), cancel).ConfigureAwait(false);
                }

                return InputEnd.Over;
            }

            isEmpty = false;
            ReadOnlyMemory<byte> typed = keys is null ? buffer.AsMemory(0, read) : keys.Pass(buffer.AsSpan(0, read));
            if (!typed.IsEmpty)
            {
                await link.SendAsync(typed, cancel).ConfigureAwait(false);
            }

            if (keys is { IsLeaving: true } or { IsDetaching: true })
            {
                return keys.IsLeaving ? InputEnd.Left : InputEnd.Detached;
            }
        }

        return InputEnd.Over;
    }
}
