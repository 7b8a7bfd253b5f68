using AgentMesh.Errors;
using AgentMesh.Protocol.Crypto;

namespace AgentMesh.Protocol.Packets;

/// <summary>
/// The epochs that are accepted at one time: the one before the current, the current, which seals, and the next, which waits for the other side's first packet.
/// </summary>
internal sealed class KeyRing : IDisposable
{
    private readonly CipherSuite _suite;
    private readonly bool _isInitiator;
    private readonly RekeySettings _settings;
    private readonly Action<EpochKeys>? _installed;
    private EpochKeys? _previous;
    private EpochKeys? _next;

    /// <param name="installed">Sees the keys of each epoch.</param>
    public KeyRing(KeyChain chain, CipherSuite suite, bool isInitiator, RekeySettings settings, TimeSpan now, Action<EpochKeys>? installed = null)
    {
        _installed = installed;
        _suite = suite;
        _isInitiator = isInitiator;
        _settings = settings;
        Current = new EpochKeys(0, chain, suite, isInitiator, now);
        installed?.Invoke(Current);
    }

    public EpochKeys Current { get; private set; }

    public bool HasNext => _next is not null;

    /// <summary>When superseded keys have to be erased; null where there are none.</summary>
    public TimeSpan? ErasePreviousAt => _previous is null ? null : _previous.InstalledAt + _settings.RejectAfter;

    public bool IsTooOld(EpochKeys keys, TimeSpan now) => now - keys.InstalledAt >= _settings.RejectAfter;

    /// <summary>The keys of the epoch with these low bits; null where there are none or they are too old. Three neighbours never share low bits.</summary>
    public EpochKeys? Find(byte epochBits, TimeSpan now)
    {
        EpochKeys? found = Matches(Current) ? Current : Matches(_next) ? _next : Matches(_previous) ? _previous : null;
        return found is null || IsTooOld(found, now) ? null : found;

        bool Matches(EpochKeys? keys) => keys is not null && (keys.Epoch & PacketLayout.EpochMask) == epochBits;
    }

    /// <summary>Keys that open from now on but do not seal before <see cref="Promote"/>.</summary>
    public void InstallNext(KeyChain chain, TimeSpan now)
    {
        Invariant.Check(_next is null);
        _next = new EpochKeys(Current.Epoch + 1, chain, _suite, _isInitiator, now);
        _installed?.Invoke(_next);
    }

    public bool IsNext(EpochKeys keys) => ReferenceEquals(keys, _next);

    public void Promote()
    {
        Invariant.Check(_next is not null);
        _previous?.Dispose();
        _previous = Current;
        _previous.Chain.Dispose(); // what the new epoch was made from is gone from here on
        Current = _next;
        _next = null;
    }

    public void EraseOld(TimeSpan now)
    {
        if (_previous is not null && IsTooOld(_previous, now))
        {
            _previous.Dispose();
            _previous = null;
        }
    }

    public void Dispose()
    {
        _previous?.Dispose();
        Current.Dispose();
        _next?.Dispose();
    }
}
