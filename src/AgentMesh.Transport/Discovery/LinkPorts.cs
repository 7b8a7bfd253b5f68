using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace AgentMesh.Transport.Discovery;

/// <summary>What is open on one interface.</summary>
internal interface ILinkPort : IAsyncDisposable
{
    LanInterface Interface { get; }
}

/// <summary>What is done on the ports of <see cref="LinkPorts{TPort}"/>. All but <see cref="TryOpen"/> is called under the gate.</summary>
internal interface ILinkWork<TPort>
    where TPort : class, ILinkPort
{
    /// <param name="present">All interfaces there are.</param>
    TPort? TryOpen(LanInterface at, IReadOnlyList<LanInterface> present, out SocketException? problem);

    /// <summary>The interfaces were looked at.</summary>
    /// <param name="isChanged">Some have come or gone.</param>
    void Looked(IReadOnlyList<LanInterface> present, bool isChanged);

    /// <returns>When there is something to do next.</returns>
    TimeSpan Tick();

    /// <summary>For the last words of a port, at the end.</summary>
    void Closing(TPort port);
}

/// <summary>
/// Keeps a port open on each interface of the local links, follows the interfaces as they come and go, and does what is due on the ports.
/// </summary>
/// <param name="gate">Guards the ports and everything that is done on them.</param>
/// <param name="bound">What the endpoint is bound to, with the real ports.</param>
internal sealed class LinkPorts<TPort>(Lock gate, IReadOnlyList<IPEndPoint> bound, ILinkWork<TPort> work, TimeProvider time) : IAsyncDisposable
    where TPort : class, ILinkPort
{
    // Interfaces are looked at this often even when the operating system tells of no change: after sleep, for example.
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(20);

    // A change comes as several events.
    private static readonly TimeSpan Settle = TimeSpan.FromMilliseconds(100);

    // Timers are no finer.
    private static readonly TimeSpan WaitMin = TimeSpan.FromMilliseconds(1);

    private readonly long _start = time.GetTimestamp();
    private readonly Dictionary<LanInterface, TPort> _ports = [];
    private readonly Signal _wake = new();
    private readonly CancellationTokenSource _stop = new();
    private TimeSpan _lookAt;
    private bool _isToldUnusable;
    private Task _running = Task.CompletedTask;

    /// <summary>The port number is not to be had on an interface, and why. Raised once; it is tried again all the same.</summary>
    public event Action<string>? Unusable;

    /// <summary>Under the gate.</summary>
    public IReadOnlyCollection<TPort> All => _ports.Values;

    /// <summary>Since the start; of a clock that does not jump.</summary>
    public TimeSpan Now => time.GetElapsedTime(_start);

    public void Start()
    {
        NetworkChange.NetworkAddressChanged += OnNetworkChanged;
        NetworkChange.NetworkAvailabilityChanged += OnNetworkChanged;
        _running = Task.Run(RunAsync);
    }

    /// <summary>Something is due earlier than <see cref="ILinkWork{TPort}.Tick"/> has said. Under the gate.</summary>
    public void Wake() => _wake.Set();

    public async ValueTask DisposeAsync()
    {
        NetworkChange.NetworkAddressChanged -= OnNetworkChanged;
        NetworkChange.NetworkAvailabilityChanged -= OnNetworkChanged;
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        foreach (TPort port in _ports.Values)
        {
            lock (gate)
            {
                work.Closing(port);
            }

            await port.DisposeAsync().ConfigureAwait(false);
        }

        _ports.Clear();
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        try
        {
            while (true)
            {
                await LookAsync().ConfigureAwait(false);
                TimeSpan wait;
                Task woken;
                lock (gate)
                {
                    TimeSpan next = work.Tick();
                    wait = (next < _lookAt ? next : _lookAt) - Now;
                    woken = _wake.Wait();
                }

                using var over = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
                await Task.WhenAny(woken, Task.Delay(wait > WaitMin ? wait : WaitMin, time, over.Token)).ConfigureAwait(false);
                await over.CancelAsync().ConfigureAwait(false);
                _stop.Token.ThrowIfCancellationRequested();
            }
        }
        catch (OperationCanceledException)
        {
            // The end.
        }
    }

    /// <summary>Opens what is new and closes what is gone, when it is time to look.</summary>
    private async Task LookAsync()
    {
        lock (gate)
        {
            if (Now < _lookAt)
            {
                return;
            }

            _lookAt = Now + LookEvery;
        }

        IReadOnlyList<LanInterface> present = LanInterfaces.Find(bound);
        bool isChanged = !_ports.Keys.ToHashSet().SetEquals(present);
        foreach (TPort gone in _ports.Values.Where(port => !present.Contains(port.Interface)).ToArray())
        {
            lock (gate)
            {
                _ports.Remove(gone.Interface);
            }

            await gone.DisposeAsync().ConfigureAwait(false);
        }

        foreach (LanInterface fresh in present.Where(each => !_ports.ContainsKey(each)))
        {
            TPort? port = work.TryOpen(fresh, present, out SocketException? problem);
            if (port is not null)
            {
                lock (gate)
                {
                    _ports.Add(fresh, port);
                }
            }
            else if (problem?.SocketErrorCode is SocketError.AddressAlreadyInUse or SocketError.AccessDenied && !_isToldUnusable)
            {
                // Others than these are passing: the interface has just gone, its address is not ready.
                _isToldUnusable = true;
                Unusable?.Invoke(problem.Message);
            }
        }

        lock (gate)
        {
            work.Looked(present, isChanged);
        }
    }

    private void OnNetworkChanged(object? sender, EventArgs change)
    {
        lock (gate)
        {
            TimeSpan soon = Now + Settle;
            _lookAt = soon < _lookAt ? soon : _lookAt;
            _wake.Set();
        }
    }
}
