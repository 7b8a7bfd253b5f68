using Akka.Actor;
using Google.Protobuf;

namespace Akka.Remote.Transport;

/// <summary>Something that a <see cref="TestTransport"/> was asked to do.</summary>
public abstract class Activity
{
}

public sealed class ListenAttempt : Activity
{
    public ListenAttempt(Address boundAddress) => BoundAddress = boundAddress;

    public Address BoundAddress { get; }
}

public sealed class AssociateAttempt : Activity
{
    public AssociateAttempt(Address localAddress, Address remoteAddress)
    {
        LocalAddress = localAddress;
        RemoteAddress = remoteAddress;
    }

    public Address LocalAddress { get; }

    public Address RemoteAddress { get; }
}

public sealed class ShutdownAttempt : Activity
{
    public ShutdownAttempt(Address boundAddress) => BoundAddress = boundAddress;

    public Address BoundAddress { get; }
}

public sealed class WriteAttempt : Activity
{
    public WriteAttempt(Address sender, Address recipient, ByteString payload)
    {
        Sender = sender;
        Recipient = recipient;
        Payload = payload;
    }

    public Address Sender { get; }

    public Address Recipient { get; }

    public ByteString Payload { get; }
}

public sealed class DisassociateAttempt : Activity
{
    public DisassociateAttempt(Address requestor, Address remote)
    {
        Requestor = requestor;
        Remote = remote;
    }

    public Address Requestor { get; }

    public Address Remote { get; }
}
