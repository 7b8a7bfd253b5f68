using System.Buffers.Binary;
using System.Security.Cryptography;
using AgentMesh.Beacon.Core;
using AgentMesh.Beacon.Wire;
using AgentMesh.Protocol.Identity;
using AgentMesh.Transport.Pairing;

namespace AgentMesh.Beacon.Client;

/// <summary>One beacon as a way for the messages of pairing by code (beacon-v1.md, "Codes"). Thread-safe.</summary>
/// <param name="say">Sends a frame if there is room; else it is lost.</param>
/// <param name="isOpen">This device is registered.</param>
internal sealed class BeaconCodeWay(BeaconAddress beacon, Action<BeaconFrame> say, Func<bool> isOpen) : ICodeWay
{
    private readonly Lock _gate = new();
    private readonly Dictionary<UInt128, CodePlaceState> _states = [];
    private UInt128[] _places = [];

    public string Name => beacon.Name;

    public bool IsOpen => isOpen();

    public ICodeTaker? Taker { get; set; }

    /// <summary>Where a beacon is asked for a code: the same for all who know the beacon and the code's first word, and another one at each beacon.</summary>
    public static UInt128 PlaceOf(DevicePublicKey beacon, ushort nameplate)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData((byte[])[.. "agentmesh code place 1"u8, .. beacon.Span, (byte)(nameplate >> 8), (byte)nameplate], hash);
        return BinaryPrimitives.ReadUInt128BigEndian(hash);
    }

    public void Offer(IReadOnlyList<ushort> nameplates)
    {
        lock (_gate)
        {
            UInt128[] places = [.. nameplates.Take(BeaconFrame.CodePlacesMax).Select(nameplate => PlaceOf(beacon.Key, nameplate))];
            if (places.SequenceEqual(_places))
            {
                return;
            }

            _places = places;
            foreach (UInt128 gone in _states.Keys.Except(places).ToArray())
            {
                _states.Remove(gone);
            }
        }

        SayPlaces();
    }

    public CodePlaceState StateOf(ushort nameplate)
    {
        lock (_gate)
        {
            return _states.GetValueOrDefault(PlaceOf(beacon.Key, nameplate));
        }
    }

    public void Ask(ushort nameplate, byte[] message) => say(new BeaconFrame(BeaconFrameType.CodeAsk, Meetings: [PlaceOf(beacon.Key, nameplate)], Message: message));

    public void Answer(uint caller, byte[] message) => say(new BeaconFrame(BeaconFrameType.CodeAnswer, Count: caller, Message: message));

    /// <summary>The beacon has taken this device in, or lost it.</summary>
    public void Changed(bool isWelcome)
    {
        lock (_gate)
        {
            _states.Clear();
        }

        if (isWelcome)
        {
            SayPlaces();
        }

        Taker?.TakeChange(this);
    }

    public void Take(BeaconFrame frame)
    {
        switch (frame.Type)
        {
            case BeaconFrameType.CodeAsked when frame.Count != 0:
                Taker?.TakeQuestion(this, frame.Count, frame.Message!);
                break;
            case BeaconFrameType.CodeAnswered:
                Taker?.TakeAnswer(this, frame.Message!);
                break;
            case BeaconFrameType.CodePlace:
                TakeState(frame.Meetings![0], (CodePlaceStatus)frame.Count);
                break;
            default:
                // That nobody is there may change while the code is looked for.
                break;
        }
    }

    private void TakeState(UInt128 place, CodePlaceStatus status)
    {
        lock (_gate)
        {
            if (!_places.Contains(place))
            {
                return;
            }

            _states[place] = status switch
            {
                CodePlaceStatus.TakenIn => CodePlaceState.Open,
                CodePlaceStatus.Occupied => CodePlaceState.Occupied,
                _ => CodePlaceState.Refused,
            };
        }

        Taker?.TakeChange(this);
    }

    private void SayPlaces()
    {
        UInt128[] places;
        lock (_gate)
        {
            places = _places;
        }

        say(new BeaconFrame(BeaconFrameType.CodePlaces, Meetings: places));
    }
}
