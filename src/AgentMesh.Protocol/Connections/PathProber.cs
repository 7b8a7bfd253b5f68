using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Frames;
using AgentMesh.Protocol.Relaying;

namespace AgentMesh.Protocol.Connections;

/// <summary>
/// Looks for a direct path to the other side while a relay carries the connection: puts questions to addresses at which it may be, from the socket of the connection, so
/// that NATs on the way open for its answers, and answers its questions where they came from. An address that has not proven itself gets at most
/// <see cref="ProbesMax"/> questions in <see cref="BudgetTime"/>, whoever names it.
/// </summary>
internal sealed class PathProber(IEntropy? entropy)
{
    public const int ProbesMax = 9;
    public const int CandidatesMax = 64;
    public const int PerHostMax = 8;
    public const int AnswersMax = 8;

    /// <summary>Of a packet that came from an unknown address: with the answer to its own question no more than three times what came, whoever put that address on it.</summary>
    public const int NoticedMax = 2;

    public static readonly TimeSpan BudgetTime = TimeSpan.FromMinutes(10);

    // After each question of a round; the last one ends it. Far NATs take a while to open, near ones answer the first.
    private static readonly TimeSpan[] Waits = [TimeSpan.FromMilliseconds(50), TimeSpan.FromMilliseconds(100), TimeSpan.FromMilliseconds(200), TimeSpan.FromMilliseconds(400)];

    private readonly PortGuesser _guesser = new(entropy);
    private readonly List<Candidate> _candidates = [];
    private readonly Queue<(IPEndPoint To, byte[] Data, int Bytes)> _answers = new();
    private Candidate? _answered;

    /// <summary>Questions put since the start.</summary>
    public long Probes { get; private set; }

    public int Candidates => _candidates.Count;

    /// <summary>Questions to ports that nobody has named.</summary>
    public PortGuesser Guesser => _guesser;

    /// <summary>Addresses that a direct path can lead to; those of a link only with the interface, which nobody else can name.</summary>
    public static bool IsUsable(IPEndPoint address)
    {
        IPAddress at = address.Address;
        bool isMulticast = at.AddressFamily == AddressFamily.InterNetwork ? at.GetAddressBytes()[0] >= 224 : at.IsIPv6Multicast;
        return address.Port != 0 && !isMulticast && !at.Equals(IPAddress.Any) && !at.Equals(IPAddress.IPv6Any) && !IPAddress.IsLoopback(at)
            && (!at.IsIPv6LinkLocal || at.ScopeId != 0) && !at.IsIPv4MappedToIPv6 && !RelayAddress.IsRelay(at);
    }

    /// <summary>A round of questions to each of these, from <paramref name="at"/> on.</summary>
    public void Begin(IEnumerable<IPEndPoint> addresses, TimeSpan at)
    {
        foreach (IPEndPoint address in addresses)
        {
            if (Find(address, at) is { } candidate)
            {
                candidate.BeginRound(at);
            }
        }
    }

    /// <summary>As <see cref="Begin"/>, for addresses that this side knows by itself and that nobody named to it: they may be asked in every round.</summary>
    public void BeginOwn(IEnumerable<IPEndPoint> addresses, TimeSpan at)
    {
        foreach (IPEndPoint address in addresses)
        {
            if (Find(address, at) is { } candidate)
            {
                candidate.Proven();
                candidate.BeginRound(at);
            }
        }
    }

    /// <summary>An authentic packet of the other side came from here: it may be reached here.</summary>
    public void Noticed(IPEndPoint from, TimeSpan now)
    {
        if (Find(from, now) is { IsAsking: false } candidate)
        {
            candidate.BeginRound(now, NoticedMax);
        }
    }

    /// <summary>The datagram that holds the answer of <see cref="TryNext"/> is to be as long as that of the question: what is long must come back as well.</summary>
    public int AnswerBytes { get; private set; }

    /// <summary>The other side asked from an address that is not the one in use; the answer goes there and nowhere else.</summary>
    /// <param name="bytes">Length of the datagram; the answer is no longer, wherever the question truly came from.</param>
    public void Asked(IPEndPoint from, ReadOnlySpan<byte> data, int bytes)
    {
        if (_answers.Count < AnswersMax)
        {
            _answers.Enqueue((from, data.ToArray(), Math.Min(bytes, MtuSettings.Floor)));
        }
    }

    /// <summary>An answer came; <see cref="TryProve"/> judges it.</summary>
    public void Answered(ReadOnlySpan<byte> data)
    {
        _answered = null;
        foreach (Candidate candidate in _candidates)
        {
            if (candidate.Spent > 0 && CryptographicOperations.FixedTimeEquals(candidate.Challenge, data))
            {
                _answered = candidate;
            }
        }
    }

    /// <summary>True when the packet from this address answered what was asked there.</summary>
    public bool TryProve(IPEndPoint from)
    {
        Candidate? answered = _answered;
        _answered = null;
        if (answered is null || !answered.Address.Equals(from))
        {
            return false;
        }

        // Another answer with these bytes proves nothing.
        entropy!.Fill(answered.Challenge);
        answered.Proven();
        return true;
    }

    /// <summary>What has to be sent now: a path frame in a packet of its own.</summary>
    public bool TryNext(TimeSpan now, out IPEndPoint to, out FrameType type, out ReadOnlySpan<byte> data)
    {
        if (_answers.TryDequeue(out var answer))
        {
            to = answer.To;
            type = FrameType.PathResponse;
            data = answer.Data;
            AnswerBytes = answer.Bytes;
            return true;
        }

        foreach (Candidate candidate in _candidates)
        {
            if (candidate.NextAt <= now)
            {
                candidate.Asked(now);
                Probes++;
                to = candidate.Address;
                type = FrameType.PathChallenge;
                data = candidate.Challenge;
                return true;
            }
        }

        type = FrameType.PathChallenge;
        return _guesser.TryNext(now, out to, out data);
    }

    public TimeSpan NextTimeout
    {
        get
        {
            TimeSpan next = _answers.Count > 0 ? TimeSpan.Zero : _guesser.NextTimeout;
            foreach (Candidate candidate in _candidates)
            {
                next = candidate.NextAt < next ? candidate.NextAt : next;
            }

            return next;
        }
    }

    /// <summary>A direct path is there: no further questions. What was spent stays noted.</summary>
    public void Stop()
    {
        _candidates.ForEach(candidate => candidate.EndRound());
        _guesser.Stop();
    }

    // Ports of one host are so few that nobody's are searched by naming them all.
    private bool IsFull(IPEndPoint address) =>
        _candidates.Count >= CandidatesMax || _candidates.Count(candidate => candidate.Address.Address.Equals(address.Address)) >= PerHostMax;

    private Candidate? Find(IPEndPoint address, TimeSpan now)
    {
        if (entropy is null || !IsUsable(address))
        {
            return null;
        }

        if (_candidates.Find(candidate => candidate.Address.Equals(address)) is { } known)
        {
            return known;
        }

        if (IsFull(address) && (_candidates.RemoveAll(candidate => candidate.MayBeForgotten(now)) == 0 || IsFull(address)))
        {
            return null;
        }

        byte[] challenge = new byte[PathFrame.DataBytes];
        entropy.Fill(challenge);
        var fresh = new Candidate(address, challenge);
        _candidates.Add(fresh);
        return fresh;
    }

    private sealed class Candidate(IPEndPoint address, byte[] challenge)
    {
        private TimeSpan _firstAt;
        private int _inRound;
        private int _most;
        private bool _hasProven;

        public IPEndPoint Address => address;

        public byte[] Challenge => challenge;

        /// <summary>Of the allowance.</summary>
        public int Spent { get; private set; }

        public TimeSpan NextAt { get; private set; } = TimeSpan.MaxValue;

        public bool IsAsking => NextAt != TimeSpan.MaxValue;

        public bool MayBeForgotten(TimeSpan now) => Spent == 0 ? !IsAsking : now - _firstAt >= BudgetTime;

        public void BeginRound(TimeSpan at, int most = int.MaxValue)
        {
            _most = most;
            if (_hasProven || (Spent > 0 && at - _firstAt >= BudgetTime))
            {
                Spent = 0;
            }

            _inRound = 0;
            NextAt = Spent < ProbesMax ? at : TimeSpan.MaxValue;
        }

        /// <summary>It has answered: when it falls silent, every round may ask it again.</summary>
        public void Proven()
        {
            _hasProven = true;
            Spent = 0;
        }

        public void EndRound() => NextAt = TimeSpan.MaxValue;

        public void Asked(TimeSpan now)
        {
            _firstAt = Spent == 0 ? now : _firstAt;
            Spent++;
            NextAt = Spent < ProbesMax && _inRound < Waits.Length && _inRound + 1 < _most ? now + Waits[_inRound] : TimeSpan.MaxValue;
            _inRound++;
        }
    }
}
