using System.Buffers.Binary;
using System.Net;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Protocol.Pairing.Codes;

/// <summary>
/// The side that was told a code (pairing-v1.md): looks for the device that made it and proves to it that it knows the code. Bytes and the present in, datagrams, the next wake-up and a
/// result out. Shows a proof to few devices only, because each can test one guess with it. Not thread-safe.
/// </summary>
internal sealed class CodeJoiner : IDisposable
{
    public const int ProofsMax = 3;
    public const int AnswersMax = 16;

    private static readonly TimeSpan[] AskAfter =
        [TimeSpan.Zero, TimeSpan.FromMilliseconds(250), TimeSpan.FromMilliseconds(750), TimeSpan.FromMilliseconds(1_750), TimeSpan.FromMilliseconds(3_750)];

    private static readonly TimeSpan NobodyAfter = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan OthersWithin = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan BusyFor = TimeSpan.FromSeconds(6);
    private static readonly TimeSpan AllWithin = TimeSpan.FromSeconds(30);

    private readonly PairingCode _code;
    private readonly DevicePublicKey _own;
    private readonly IReadOnlyList<IPEndPoint>? _at;
    private readonly IEntropy _entropy;
    private readonly TimeSpan _start;
    private readonly UInt128 _nonce;
    private readonly Queue<CodeTransmit> _outbox = new();
    private readonly Queue<(IPEndPoint At, UInt128 Cookie)> _waiting = new();
    private readonly HashSet<IPEndPoint> _answered = [];
    private CodeAttempt? _attempt;
    private int _asked;
    private int _proofs;
    private CodeFailure _failure = CodeFailure.Nobody;
    private IPEndPoint? _failedAt;

    /// <param name="at">Whom to ask; null for everybody on the link.</param>
    public CodeJoiner(PairingCode code, DevicePublicKey own, IReadOnlyList<IPEndPoint>? at, IEntropy entropy, MeshInstant now)
    {
        _code = code;
        _own = own;
        _at = at;
        _entropy = entropy;
        _start = now.Monotonic;
        Span<byte> nonce = stackalloc byte[16];
        entropy.Fill(nonce);
        _nonce = BinaryPrimitives.ReadUInt128BigEndian(nonce);
        Tick(now);
    }

    public ushort Nameplate => _code.Nameplate;

    /// <summary>Null while there is hope.</summary>
    public CodeResult? Result { get; private set; }

    /// <summary>When <see cref="Tick"/> has something to do.</summary>
    public TimeSpan Next
    {
        get
        {
            TimeSpan ask = _asked < AskAfter.Length ? _start + AskAfter[_asked] : TimeSpan.MaxValue;
            TimeSpan send = _attempt?.SendAt ?? TimeSpan.MaxValue;
            return Min(_attempt is null ? GiveUpAt : _start + AllWithin, Min(ask, send));
        }
    }

    /// <summary>When to wait no longer for devices that have not answered yet: at once when all that were asked have.</summary>
    private TimeSpan GiveUpAt => _start + (_answered.Count == 0 ? NobodyAfter : _answered.Count >= _at?.Count ? TimeSpan.Zero : OthersWithin);

    /// <summary>The question, for the group: with the port of the endpoint in the family of the datagram.</summary>
    public byte[] Question(ushort port) => new CodeQuestion(port, _code.Nameplate, _nonce).ToBytes();

    public bool TryTransmit(out CodeTransmit transmit) => _outbox.TryDequeue(out transmit);

    public void Tick(MeshInstant now)
    {
        while (_asked < AskAfter.Length && now.Monotonic >= _start + AskAfter[_asked])
        {
            _asked++;
            Ask();
        }

        if (_attempt is { } attempt && now.Monotonic >= attempt.SendAt)
        {
            if (attempt.IsUsedUp(_waiting.Count > 0) || now.Monotonic - attempt.BusySince > BusyFor)
            {
                Fail(attempt.BusySince is null ? CodeFailure.Silent : CodeFailure.Busy, now);
            }
            else
            {
                Send(attempt, now);
            }
        }

        GiveUpIfNobodyIsLeft(now);
    }

    /// <summary>Everything that does not belong to this attempt to join is ignored.</summary>
    public void Handle(ReadOnlySpan<byte> datagram, IPEndPoint from, MeshInstant now)
    {
        if (Result is not null || !CodeHead.TryRead(datagram, out CodeHead head) || head.Nonce != _nonce)
        {
            return;
        }

        if (head.Type == CodeMessageType.Here)
        {
            TakeAnswer(head, from, now);
        }
        else if (_attempt is { } attempt && attempt.At.Equals(from) && attempt.Cookie == head.Cookie)
        {
            Handle(attempt, datagram, head, now);
        }

        GiveUpIfNobodyIsLeft(now);
    }

    public void Dispose() => _attempt?.Dispose();

    private void Ask()
    {
        if (_attempt is not null || Result is not null)
        {
            return;
        }

        if (_at is null)
        {
            _outbox.Enqueue(new CodeTransmit(null, Question(port: 0)));
        }

        foreach (IPEndPoint each in _at ?? [])
        {
            _outbox.Enqueue(new CodeTransmit(each, Question(port: 0)));
        }
    }

    private void TakeAnswer(CodeHead here, IPEndPoint from, MeshInstant now)
    {
        if (_answered.Count < AnswersMax && _answered.Add(from))
        {
            _waiting.Enqueue((from, here.Cookie));
            BeginNext(now);
        }
    }

    private void Handle(CodeAttempt attempt, ReadOnlySpan<byte> datagram, CodeHead head, MeshInstant now)
    {
        switch (head.Type)
        {
            case CodeMessageType.Share when attempt.Seals is null && attempt.TryTakeShare(datagram):
                _proofs++;
                attempt.GoOn(attempt.Seals!.Proof(_nonce, attempt.Cookie, _own), now.Monotonic);
                Send(attempt, now);
                break;
            case CodeMessageType.Welcome when attempt.Seals is { } seals && seals.TryOpenWelcome(datagram, _own, out DevicePublicKey inviter, out string name):
                Result = new CodeResult(InvitationBy(seals, inviter, name, attempt.At, now), default, attempt.At);
                break;
            case CodeMessageType.Refusal when head.Detail == (byte)CodeRefusal.Busy && attempt.Seals is null:
                attempt.Busy(now.Monotonic);
                break;
            case CodeMessageType.Refusal when FailureOf((CodeRefusal)head.Detail) is { } failure:
                Fail(failure, now);
                break;
            default:
                break; // repeated, forged, or of no meaning now
        }
    }

    private Invitation InvitationBy(CodeSeals seals, DevicePublicKey inviter, string name, IPEndPoint at, MeshInstant now)
    {
        // It is shown in terminals: control characters would be commands to them.
        string shown = new([.. name.Where(c => !char.IsControl(c)).Take(Invitation.NameMax)]);
        return new Invitation
        {
            Key = inviter,
            Secret = seals.Secret(_own, inviter),
            ExpiresAt = now.Wall + CodeInviter.JoinWithin,
            InviterName = shown.Length > 0 ? shown : inviter.Id.ToString(),
            Addresses = [at],
        };
    }

    private void BeginNext(MeshInstant now)
    {
        if (_attempt is null && _proofs < ProofsMax && _waiting.TryDequeue(out (IPEndPoint At, UInt128 Cookie) next))
        {
            _attempt = new CodeAttempt(next.At, _code, _nonce, next.Cookie, _entropy);
            Send(_attempt, now);
        }
    }

    private void Send(CodeAttempt attempt, MeshInstant now)
    {
        _outbox.Enqueue(new CodeTransmit(attempt.At, attempt.Message));
        attempt.Sent(now.Monotonic);
    }

    private void Fail(CodeFailure failure, MeshInstant now)
    {
        // What was certain is said rather than what was not: a wrong code counts more than somebody who went silent.
        if (_failedAt is null || _failure is CodeFailure.Silent or CodeFailure.Busy || failure == CodeFailure.Wrong)
        {
            _failure = failure;
            _failedAt = _attempt!.At;
        }

        _attempt!.Dispose();
        _attempt = null;
        BeginNext(now);
    }

    private void GiveUpIfNobodyIsLeft(MeshInstant now)
    {
        bool isLate = now.Monotonic >= _start + AllWithin;
        if (isLate && _attempt is not null)
        {
            _waiting.Clear();
            Fail(CodeFailure.Silent, now);
        }

        if (Result is null && _attempt is null && (isLate || now.Monotonic >= GiveUpAt || _proofs >= ProofsMax))
        {
            Result = new CodeResult(null, _failure, _failedAt);
        }
    }

    private static CodeFailure? FailureOf(CodeRefusal refusal) => refusal switch
    {
        CodeRefusal.Wrong => CodeFailure.Wrong,
        CodeRefusal.Burnt => CodeFailure.Burnt,
        CodeRefusal.Expired => CodeFailure.Expired,
        CodeRefusal.Used => CodeFailure.Used,
        _ => null,
    };

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
