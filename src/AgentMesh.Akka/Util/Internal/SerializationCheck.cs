using Akka.Actor;

namespace Akka.Util.Internal;

/// <summary>Which messages <c>akka.actor.serialize-messages</c> leaves alone.</summary>
internal static class SerializationCheck
{
    public static bool IsExempt(object message) => WrappedMessage.Unwrap(message) is null or INoSerializationVerificationNeeded or IAutoReceivedMessage or Exception or Status;
}
