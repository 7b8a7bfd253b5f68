using System.Runtime.Serialization;
using AgentMesh.Engine.Wire;
using Akka.Actor;
using Akka.Serialization;
using Google.Protobuf;

namespace Akka.Remote.Serialization;

/// <summary>Messages to selections.</summary>
internal sealed class MessageContainerSerializer(ExtendedActorSystem system) : SerializerWithStringManifest(system)
{
    private const int ElementsMax = 256;

    public override int Identifier => 6;

    public override string Manifest(object o) => "A";

    public override byte[] ToBinary(object obj)
    {
        var selection = (ActorSelectionMessage)obj;
        var wire = new SelectionMessage { Message = ContainedMessages.Write(system, selection.Message), WildCardFanOut = selection.WildCardFanOut };
        foreach (SelectionPathElement element in selection.Elements)
        {
            wire.Elements.Add(element switch
            {
                SelectParent => new SelectionElement { Kind = SelectionElement.Types.Kind.Parent },
                SelectChildPattern pattern => new SelectionElement { Kind = SelectionElement.Types.Kind.Pattern, Text = pattern.PatternStr },
                SelectChildName name => new SelectionElement { Kind = SelectionElement.Types.Kind.Name, Text = name.Name },
                _ => throw new SerializationException($"{element.GetType().Name} is no known step of a selection"),
            });
        }

        return wire.ToByteArray();
    }

    public override object FromBinary(byte[] bytes, string manifest)
    {
        if (manifest != "A")
            throw new SerializationException($"Unknown manifest '{manifest}' of a selection");
        SelectionMessage wire = SelectionMessage.Parser.ParseFrom(bytes);
        if (wire.Elements.Count > ElementsMax)
            throw new SerializationException($"A selection of {wire.Elements.Count} steps");
        SelectionPathElement[] elements = [.. wire.Elements.Select(Step)];
        if (GoesUpAfterFanningOut(elements))
            throw new SerializationException("A selection that goes up again behind a pattern: it could reach the same actors any number of times");
        object message = ContainedMessages.Read(system, wire.Message) ?? throw new SerializationException("A selection without a message");
        return new ActorSelectionMessage(message, elements, wire.WildCardFanOut);
    }

    private static bool GoesUpAfterFanningOut(SelectionPathElement[] elements)
    {
        int pattern = Array.FindIndex(elements, static element => element is SelectChildPattern);
        return pattern >= 0 && Array.FindIndex(elements, pattern, static element => element is SelectParent) >= 0;
    }

    private static SelectionPathElement Step(SelectionElement element) => element.Kind switch
    {
        SelectionElement.Types.Kind.Parent => SelectParent.Instance,
        SelectionElement.Types.Kind.Name => new SelectChildName(element.Text),
        SelectionElement.Types.Kind.Pattern => new SelectChildPattern(element.Text),
        _ => throw new SerializationException("An unknown step of a selection"),
    };
}
